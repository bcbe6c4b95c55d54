# --- a restart that loses no request -----------------------------------------

# can_swap: old and new may run side by side, on sockets that systemd holds.
can_swap() { return 1; }
