# SPDX-License-Identifier: Apache-2.0
# The ticker: once a second, one progress line for the phase that is running.
# shellcheck shell=sh
#
# $1 is the phase file: START SECONDS TODO ALL MEASURE TEXT (see progress.sh).
set -eu

# The part of the phase that is done, in thousandths; -1 where unknown.
measured()
{
	file=${1#*:}
	case $1 in
	apt:*)
		tail -n 1 "$file" 2>/dev/null |
			awk -F: '{ print int($3 * 10); n = 1 }
				END { if (!n) print -1 }'
		;;
	lines:*)
		count=${file%%:*}
		grep -cE '^(Unpacking|Setting up) ' "${file#*:}" 2>/dev/null |
			awk -v all="$count" '{ print int($1 * 1000 / all) }'
		;;
	*)
		echo -1
		;;
	esac
}

while :; do
	sleep 1
	read -r start seconds todo all measure text 2>/dev/null <"$1" || continue
	spent=$(($(date +%s) - start))
	done_=$(measured "$measure")
	left=$((seconds - spent))
	if [ "${done_:--1}" -ge 30 ] && [ "$spent" -gt 1 ]; then
		[ "$done_" -le 1000 ] || done_=1000
		left=$((spent * (1000 - done_) / done_))
	else
		done_=$((spent * 1000 / (seconds + 1)))
		[ "$done_" -le 950 ] || done_=950
	fi
	[ "$left" -ge 1 ] || left=1
	printf '@ %d %d %s\n' \
		$(((all - todo - seconds) * 100 / all + seconds * done_ / all / 10)) \
		$((left + todo)) "$text"
done
