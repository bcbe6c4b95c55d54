# --- what a deploy would change ----------------------------------------------

# plan: like check, with the texts that would differ.
plan() { check "$@"; }
