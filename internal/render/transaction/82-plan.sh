# --- what a deploy would change ----------------------------------------------

# plan: like check, with the texts that would differ. Units are not secret;
# of the environment only what mask_environment lets through leaves the host.
plan() {
	from=$(installed_version "$name")
	digest=$(digest_of "$work/environment")
	changed=true
	planned=planned
	if ! choose_variant || ! nobody_elses || ! has_credentials || ! numa_binding >/dev/null; then
		planned=failed
	elif same_as_now; then
		changed=false
	elif ! ports_free; then
		planned=failed
	fi
	[ "$planned" = failed ] || reason=
	if at_work; then
		planned=locked
		under_way
	elif refused; then
		planned=locked
	fi
	unit_state
	mask_environment "$live_environment" "$work/environment"
	describe "$planned" "$changed"
	line="$line,\"active\":\"$active\",\"units\":{$(planned_units)},\"environment\":{\"old\":\"$(encoded "$work/masked.old")\",\"new\":\"$(encoded "$work/masked.new")\"}"
	failed=false # the host has answered
	tell
}

encoded() { base64 <"$1" | tr -d '\n'; }

# planned_units: name and text of each unit that is installed, as members of a
# JSON object.
planned_units() {
	for each in $(owned_units); do
		say "\"$each\":\"$(encoded "$unit_folder/$each")\""
	done | paste -s -d ,
}

# mask_environment OLD NEW: both files, a variable a line, into $work/masked.old and
# masked.new. What is secret shows as that, and whether it changes: encrypted values,
# those of names like a secret's, passwords in addresses. What cannot be read as a
# variable is left out (systemd.exec(5), EnvironmentFile=).
mask_environment() {
	: >"$work/masked.old" && : >"$work/masked.new"
	[ -e "$1" ] || set -- /dev/null "$2"
	awk -v old_out="$work/masked.old" -v new_out="$work/masked.new" '
		# A value in quotes may go on over many lines.
		function complete(v) {
			if (v ~ /^"/) return v ~ /^"([^"\\]|\\.|\\\n)*"[ \t]*$/
			if (v ~ /^\047/) return v ~ /^\047[^\047]*\047[ \t]*$/
			return v !~ /\\$/
		}
		function masked(name, v,   plain, low, at) {
			plain = v
			gsub(/^["\047]|["\047][ \t]*$/, "", plain)
			low = tolower(plain)
			if (plain == "") return v
			if (plain ~ /ANSIBLE_VAULT|JEFOU0lCTEVfVkFVTFQ7|-----BEGIN/) return "(secret)"
			if (toupper(name) ~ /PASS|PWD|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|SALT|COOKIE|AUTH|VAULT/) return "(secret)"
			if (plain ~ /^(gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|eyJ|[sr]k_live_)/) return "(secret)"
			gsub(/\n/, "\\n", v)
			if (low ~ /(pass(word|wd|phrase)?|secret|token|key)[\\"\047]*[ ]*[=:]/) return "(secret in it)"
			if (match(v, /:\/\/[^ :\/@]*:[^ ]*@/)) {
				at = RSTART + 2 + index(substr(v, RSTART + 3), ":")
				return substr(v, 1, at) "(secret)" substr(v, RSTART + RLENGTH - 1)
			}
			if (match(v, /:[^ ]*@/)) return substr(v, 1, RSTART) "(secret)" substr(v, RSTART + RLENGTH - 1)
			return v
		}
		function flush(   shown) {
			if (name == "") return
			shown = masked(name, value)
			if (side == "old") {
				old[name] = value
				old_shown[name] = shown
			} else if ((name in old) && old[name] != value && old_shown[name] == shown) {
				sub(/\(secret/, "(another secret", shown)
			}
			print name "=" shown >(side == "old" ? old_out : new_out)
			name = ""
		}
		FNR == 1 { name = "" }
		name != "" { value = value "\n" $0; if (complete(value)) flush(); next }
		/^[ \t]*[A-Za-z_][A-Za-z0-9_]*=/ {
			name = $0; sub(/=.*/, "", name); sub(/^[ \t]*/, "", name)
			value = $0; sub(/^[^=]*=/, "", value)
			if (complete(value)) flush()
		}
	' side=old "$1" side=new "$2"
}
