"""Entity resolution in the store: the graph of senders, watch lists, registered serial numbers."""
