# Writes to the repository in the directory $1, as the lines on standard input
# say, for as long as it holds the lock. Every order is three lines: what, and
# two words for it; after "add" come the bytes. The end of the input, an order
# that fails and a lost connection all end it, and with it the lock: descriptor
# 9, which the programs that it calls share until they are done.
set -eu
export LC_ALL=C
umask 022

if [ "$2" = create ]; then
	mkdir -p -- "$1"
fi
cd -- "$1"
shift "$#"
exec 9>>.lock

# The dots show that this side is alive, and make it notice when the other one is not.
while :; do
	status=0
	flock -w 2 9 || status=$?
	case $status in
	0) break ;;
	1) echo . ;;
	*) exit 1 ;;
	esac
done
(while sleep 10 >/dev/null && kill -0 $$; do echo .; done) 9>&- </dev/null 2>/dev/null &
dots=$!
trap 'kill "$dots" 2>/dev/null' EXIT
echo locked

while IFS= read -r order && IFS= read -r a && IFS= read -r b; do
	case $order in
	dir) # a
		[ -d "./$a" ] || mkdir -p "./$a"
		;;
	sweep) # what killed writers left in a
		for f in "./$a/.kinectl-new-"*; do
			if [ -f "$f" ]; then rm -f "$f"; fi
		done
		;;
	add) # a bytes to b
		head -c "$a" >>"./$b"
		;;
	size) # b has a bytes
		[ "$(stat -c %s "./$b")" = "$a" ]
		;;
	root) # b gets now as its time, or the second after that of a
		now=$(date +%s)
		before=$(stat -c %Y "./$a" 2>/dev/null || echo 0)
		if [ "$before" -ge "$now" ]; then now=$((before + 1)); fi
		touch -d "@$now" "./$b"
		;;
	sync) # a, at the next flush
		set -- "$@" "./$a"
		;;
	flush)
		if [ "$#" != 0 ]; then sync -- "$@"; fi
		shift "$#"
		;;
	move) # a to b
		mv -fT "./$a" "./$b"
		;;
	link) # b becomes another name of a, or a copy where that cannot be
		if [ "$(stat -c %d:%i "./$a")" != "$(stat -c %d:%i "./$b" 2>/dev/null || true)" ]; then
			new=$(dirname "./$b")/.kinectl-new-link
			rm -f "$new"
			ln "./$a" "$new" 2>/dev/null || { cp "./$a" "$new" && sync -- "$new"; }
			mv -fT "$new" "./$b"
		fi
		;;
	remove) # a
		rm -f "./$a"
		;;
	mend)
		find . -type f -name ".kinectl-new-*" -exec rm -f {} +
		;;
	say)
		echo "$a"
		;;
	*)
		echo "not an order: $order" >&2
		exit 1
		;;
	esac
done
