# --- restart, stop, start ----------------------------------------------------

# power: what `kinectl restart`, `stop` and `start` do here; action says which.
power() {
	reason="$action is not known here"
	refuse failed
	return 1
}
