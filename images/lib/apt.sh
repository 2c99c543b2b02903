# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# A private apt for one Debian suite, derived from the machine's own settings.
#
# The machine says where its Debian archive and its security archive are; we
# read that from its sources (both formats) by suite, component and keyring,
# never by host name, and point the same places at another suite. Proxies,
# credentials and everything else in apt.conf keep applying. Lists, cache and
# dpkg status are ours, so nothing on the machine is read as installed and
# nothing on it is changed.

APT_ARCH=amd64
APT_CONF=         # our configuration, read after the machine's own
APT_SUITE=
APT_HOME=         # lists and configuration of this suite

# apt_source_files: the machine's source files, one a line.
apt_source_files()
{
	eval "$(apt-config shell list_ Dir::Etc::sourcelist/f \
		parts_ Dir::Etc::sourceparts/d)"
	# shellcheck disable=SC2154 # apt-config sets both
	for file_ in "$list_" "$parts_"/*.list "$parts_"/*.sources; do
		[ ! -f "$file_" ] || printf '%s\n' "$file_"
	done
}

# apt_entries FILE...: binary sources, a line each, fields parted by TAB:
# URI SUITE COMPONENTS SIGNED_BY OPTIONS. SIGNED_BY is "-" if not set and
# "inline" where the key itself stands there. OPTIONS are those that say how
# far the machine's owner trusts the place.
apt_entries()
{
	for file_ in "$@"; do
		case $file_ in
		*.sources) apt_entries_deb822 "$file_" ;;
		*) apt_entries_oneline "$file_" ;;
		esac
	done
}

apt_entries_oneline()
{
	awk '
	{
		sub(/#.*/, "")
		gsub(/[ \t\r]+/, " ")
		sub(/^ /, "")
	}
	!/^deb / || / cdrom:/ { next }
	{
		rest = substr($0, 5)
		opts = ""
		if (substr(rest, 1, 1) == "[") {
			end = index(rest, "]")
			if (!end)
				next
			opts = substr(rest, 2, end - 2)
			rest = substr(rest, end + 1)
		}
		n = split(rest, word, " ")
		if (n < 2)
			next
		key = "-"
		keep = ""
		m = split(opts, opt, " ")
		for (i = 1; i <= m; i++) {
			if (tolower(opt[i]) ~ /^signed-by=/)
				key = substr(opt[i], 11)
			if (tolower(opt[i]) ~ /^(trusted|check-valid-until)=/)
				keep = keep " " tolower(opt[i])
		}
		comps = ""
		for (i = 3; i <= n; i++)
			comps = comps " " word[i]
		print word[1] "\t" word[2] "\t" comps "\t" key "\t" keep
	}' "$1"
}

apt_entries_deb822()
{
	awk '
	function flush(   keep, key, i, j, n, m, uri, suite) {
		if (field["types"] ~ /(^| )deb( |$)/ &&
		    tolower(field["enabled"]) !~ /^ *(no|false|0|off)/) {
			key = field["signed-by"]
			sub(/^ +/, "", key)
			sub(/ +$/, "", key)
			if (key == "")
				key = "-"
			else if (key !~ /^\//)
				key = "inline"
			gsub(/ +/, ",", key)
			keep = ""
			if (field["trusted"] != "")
				keep = " trusted=" tolower(field["trusted"])
			if (field["check-valid-until"] != "")
				keep = keep " check-valid-until=" \
					tolower(field["check-valid-until"])
			gsub(/= +/, "=", keep)
			n = split(field["uris"], uri, " ")
			m = split(field["suites"], suite, " ")
			for (i = 1; i <= n; i++)
				for (j = 1; j <= m; j++)
					print uri[i] "\t" suite[j] "\t " \
						field["components"] "\t" key \
						"\t" keep
		}
		for (i in field)
			delete field[i]
		name = ""
	}
	/^#/ { next }
	/^[ \t\r]*$/ { flush(); next }
	/^[ \t]/ { if (name != "") field[name] = field[name] " " $0; next }
	{
		sub(/\r$/, "")
		colon = index($0, ":")
		name = tolower(substr($0, 1, colon - 1))
		field[name] = substr($0, colon + 1)
		gsub(/\t/, " ", field[name])
	}
	END { flush() }' "$1"
}

# apt_pick SECURITY SUITE < entries: the likeliest Debian archive (SECURITY 0)
# or security archive (1) as "URI TAB SIGNED_BY TAB OPTIONS", or nothing. A
# Debian archive carries a Debian suite with component main; the archive's own
# keyring and a sibling SUITE-updates speak for it, a private key against it.
apt_pick()
{
	awk -F '\t' -v security="$1" -v wanted="$2" '
	BEGIN {
		names = "oldoldstable oldstable stable testing unstable sid " \
			"bullseye bookworm trixie forky duke " wanted
		n = split(names, name, " ")
		for (i = 1; i <= n; i++)
			known[name[i]] = 1
	}
	{
		sub(/\/+$/, "", $1)
		sub(/\/+$/, "", $2)
		base = $2
		sub(/(-security|\/updates)$/, "", base)
		if (base ~ /-updates$/) {
			sub(/-updates$/, "", base)
			if (base in known)
				updates[$1] = 1
			next
		}
		if (!(base in known) || (base != $2) != (security + 0) ||
		    $3 !~ /(^| )main( |$)/)
			next
		score = 2
		if ($4 ~ /\/debian-archive-[^\/]*$/)
			score = 8
		else if ($4 == "-")
			score = 4
		else if ($4 == "inline")
			score = 1
		if (base == wanted)
			score++
		count++
		line[count] = $1 "\t" $4 "\t" $5
		uri[count] = $1
		points[count] = score
	}
	END {
		best = 0
		for (i = 1; i <= count; i++) {
			if (uri[i] in updates)
				points[i] += 4
			if (points[i] > points[best] + 0)
				best = i
		}
		if (best)
			print line[best]
	}'
}

# apt_keyring SIGNED_BY: the keyring to check another suite of the same place
# with. Per-release keyrings of Debian's give way to the whole one.
apt_keyring()
{
	case $1 in
	- | inline | */debian-archive-*)
		for ring_ in /usr/share/keyrings/debian-archive-keyring.gpg \
			/usr/share/keyrings/debian-archive-keyring.pgp; do
			if [ -r "$ring_" ]; then
				printf '%s\n' "$ring_"
				return
			fi
		done
		;;
	esac
	case $1 in
	- | inline) ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# apt_line "URI TAB SIGNED_BY TAB OPTIONS" SUITE: a one-line source.
apt_line()
{
	uri_=$(printf '%s' "$1" | cut -f 1)
	ring_=$(apt_keyring "$(printf '%s' "$1" | cut -f 2)")
	opts_=$(printf '%s' "$1" | cut -f 3)
	printf 'deb [arch=%s%s%s] %s %s main\n' "$APT_ARCH" \
		"${ring_:+ signed-by=$ring_}" "$opts_" "$uri_" "$2"
}

# apt_sources SUITE: the private list for SUITE, on stdout; status 1 if the
# machine names no Debian archive. A machine without a security source gets
# the usual sibling of its archive, which apt_update drops if it is not there.
apt_sources()
{
	apt_source_files >"$APT_HOME/files"
	set -- "$1" "$(tr '\n' ' ' <"$APT_HOME/files")"
	# shellcheck disable=SC2086 # a list of paths
	apt_entries $2 >"$APT_HOME/entries"
	main_=$(apt_pick 0 "$1" <"$APT_HOME/entries")
	security_=$(apt_pick 1 "$1" <"$APT_HOME/entries")
	[ -n "$main_" ] || return 1
	apt_line "$main_" "$1"
	apt_line "$main_" "$1-updates"
	if [ -n "$security_" ]; then
		apt_line "$security_" "$1-security"
	else
		apt_line "$(printf '%s' "$main_" |
			sed 's/^[^\t]*/&-security/')" "$1-security" |
			sed 's/$/ # guessed/'
	fi
}

# apt_configure SUITE: choose the suite; makes its private configuration.
apt_configure()
{
	APT_SUITE=$1
	APT_HOME=$CACHE_DIR/apt/$1
	APT_CONF=$APT_HOME/apt.conf
	mkdir -p "$APT_HOME/lists/partial" "$APT_HOME/cache" "$APT_HOME/none"
	: >"$APT_HOME/status"
	apt_sources "$1" >"$APT_HOME/sources.new" || fail \
		"this machine's apt names no Debian archive (a suite such as \
$1 with component main)" "add one to /etc/apt/sources.list.d, run apt-get update"
	cat >"$APT_CONF" <<-EOF
		#clear APT::Architectures;
		#clear APT::Default-Release;
		#clear APT::Update;
		#clear DPkg::Pre-Install-Pkgs;
		#clear DPkg::Pre-Invoke;
		#clear DPkg::Post-Invoke;
		APT::Architecture "$APT_ARCH";
		APT::Architectures { "$APT_ARCH"; };
		APT::Install-Recommends "false";
		APT::Install-Suggests "false";
		APT::Get::Assume-Yes "true";
		Acquire::Languages { "none"; };
		Acquire::Retries "3";
		Acquire::http::Timeout "20";
		Acquire::https::Timeout "20";
		Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
		Dir::Etc::sourcelist "$APT_HOME/sources.list";
		Dir::Etc::sourceparts "$APT_HOME/none";
		Dir::Etc::preferences "$APT_HOME/none/preferences";
		Dir::Etc::preferencesparts "$APT_HOME/none";
		Dir::State "$APT_HOME";
		Dir::State::lists "$APT_HOME/lists";
		Dir::State::status "$APT_HOME/status";
		Dir::State::extended_states "$APT_HOME/extended_states";
		Dir::Cache "$APT_HOME/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
		Dir::Cache::srcpkgcache "srcpkgcache.bin";
		Dir::Log "$APT_HOME/log";
		Debug::NoLocking "true";
	EOF
	# Other sources than last time: the lists are no longer theirs.
	if ! cmp -s "$APT_HOME/sources.new" "$APT_HOME/sources.asked"; then
		rm -f "$APT_HOME/updated"
		cp "$APT_HOME/sources.new" "$APT_HOME/sources.list"
		cp "$APT_HOME/sources.new" "$APT_HOME/sources.asked"
	fi
}

# apt_fresh: the lists are less than a day old and nobody asked for newer.
apt_fresh()
{
	[ -n "$(find "$APT_HOME/updated" -mmin -1440 2>/dev/null)" ] || return 1
	[ "${REFRESH:-0}" != 1 ] ||
		[ -n "$(find "$APT_HOME/updated" -mmin -5)" ]
}

# apt_update: fetch the suite's lists unless they are fresh. Several builders
# share them. With the network away, older lists serve on.
apt_update()
{
	! apt_fresh || return 0
	exec 8>"$APT_HOME/.lock"
	while ! flock -n 8; do
		sleep 0.2
	done
	if ! apt_fresh; then
		apt_update_locked
	fi
	exec 8>&-
}

apt_update_locked()
{
	: >"$APT_HOME/update.log"
	if apt_update_once; then
		: >"$APT_HOME/updated"
		return
	fi
	if grep -q '# guessed' "$APT_HOME/sources.list" &&
		grep -qE ' 404 |does not have a Release' "$APT_HOME/update.log"; then
		note "no security archive beside the machine's archive"
		sed -i '/# guessed/d' "$APT_HOME/sources.list"
		if apt_update_once; then
			: >"$APT_HOME/updated"
			return
		fi
	fi
	if [ -e "$APT_HOME/updated" ] && [ "${REFRESH:-0}" != 1 ]; then
		note "the archive cannot be asked; the lists of" \
			"$(date -ur "$APT_HOME/updated" +%F) serve on"
		return
	fi
	if grep -q NO_PUBKEY "$APT_HOME/update.log" ||
		grep -q 'is not signed' "$APT_HOME/update.log"; then
		fail "this machine's Debian keyring lacks the keys of $APT_SUITE" \
			"apt-get update && apt-get install debian-archive-keyring"
	fi
	fail "the lists of Debian $APT_SUITE could not be fetched: \
$(apt_complaint "$APT_HOME/update.log")" \
		"check the network and that 'apt-get update' works here, run it again"
}

apt_update_once()
{
	status_=0
	# shellcheck disable=SC2016 # the inner shell expands
	job sh -c 'exec apt-get -c "$1" -o APT::Update::Error-Mode=any update \
		>"$2" 2>&1' sh "$APT_CONF" "$APT_HOME/update.log" || status_=$?
	cat "$APT_HOME/update.log" >>"$LOG"
	return "$status_"
}

# apt_complaint LOG: apt's first complaint with its reason, fit for one line.
apt_complaint()
{
	awk '/^Err:/ { said = $0; getline; print said ":" $0; exit }
		/^[EW]: / { print; exit }' "$1" | tr -s ' ' | tr '|' '/' |
		cut -c 1-200
}

# apt_closure LIST PACKAGE...: what these packages need, from nothing: lines
# "URI FILE SIZE HASH" as apt prints them, into LIST.
apt_closure()
{
	list_=$1
	shift
	mkdir -p "$APT_HOME/none/partial"
	apt-get -c "$APT_CONF" -o Dir::Cache::archives="$APT_HOME/none" \
		--print-uris install "$@" >"$list_.out" 2>"$list_.err" || {
		cat "$list_.err" >>"$LOG"
		fail "Debian $APT_SUITE cannot satisfy '$*': \
$(apt_complaint "$list_.err")" \
			"run it again with REFRESH=1; look at the package list"
	}
	grep "^'" "$list_.out" | tr -d "'" >"$list_"
	rm "$list_.out" "$list_.err"
}

# apt_bytes_missing LIST DIR: bytes of LIST that DIR does not hold yet.
apt_bytes_missing()
{
	total_=0
	while read -r _ name_ bytes_ _; do
		[ -f "$2/$name_" ] || total_=$((total_ + bytes_))
	done <"$1"
	echo "$total_"
}

# apt_fetch DIR LIST PACKAGE...: bring the closure LIST of these packages into
# DIR; what is there already is not fetched, what is no longer used goes.
# Progress is in "$STAGE/apt-status".
apt_fetch()
{
	dir_=$1
	list_=$2
	shift 2
	mkdir -p "$dir_/partial"
	if [ "$(apt_bytes_missing "$list_" "$dir_")" -gt 0 ]; then
		apt_get_fetch "$dir_" --download-only install "$@"
	fi
	cut -d ' ' -f 2 "$list_" | sort >"$list_.names"
	find "$dir_" -maxdepth 1 -name '*.deb' -printf '%f\n' | sort |
		comm -23 - "$list_.names" | while IFS= read -r name_; do
		rm -f "$dir_/$name_"
	done
}

apt_get_fetch()
{
	dir_=$1
	shift
	need_room "$dir_" 600
	status_=0
	# shellcheck disable=SC2016 # the inner shell expands
	job sh -c 'dir=$1 conf=$2 status=$3 log=$4; shift 4
		exec apt-get -c "$conf" -o Dir::Cache::archives="$dir" \
		-o APT::Status-Fd=3 "$@" \
		3>"$status" >"$log" 2>&1' sh "$dir_" "$APT_CONF" \
		"$STAGE/apt-status" "$STAGE/apt-fetch.log" "$@" || status_=$?
	cat "$STAGE/apt-fetch.log" >>"$LOG"
	[ "$status_" -eq 0 ] || fail "packages could not be fetched: \
$(apt_complaint "$STAGE/apt-fetch.log")" \
		"check the network and that 'apt-get update' works here, run it again"
}

# apt_single LIST PACKAGE=VERSION...: like apt_closure, these packages alone.
apt_single()
{
	list_=$1
	shift
	apt-get -c "$APT_CONF" --print-uris download "$@" >"$list_.out" \
		2>>"$LOG" || fail "Debian $APT_SUITE has no $*" \
		"run it again with REFRESH=1"
	grep "^'" "$list_.out" | tr -d "'" >"$list_"
	rm "$list_.out"
}

# apt_fetch_single DIR LIST PACKAGE=VERSION...: bring LIST into DIR.
apt_fetch_single()
{
	dir_=$1
	list_=$2
	shift 2
	mkdir -p "$dir_"
	[ "$(apt_bytes_missing "$list_" "$dir_")" -gt 0 ] || return 0
	cd "$dir_" || exit 1
	apt_get_fetch "$dir_" download "$@"
	cd "$OUT_DIR" || exit 1
}

# apt_version PACKAGE: the version this suite would install.
apt_version()
{
	apt-cache -c "$APT_CONF" policy "$1" |
		sed -n 's/^  Candidate: //p'
}
