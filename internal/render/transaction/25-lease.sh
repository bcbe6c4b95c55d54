# --- the lease ---------------------------------------------------------------

# hold_lease: the host is this deployer's, until it gives it back or dies.
hold_lease() { return 0; }
