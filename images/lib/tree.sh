# SPDX-License-Identifier: Apache-2.0
# The canonical listing of a file tree and its digest.
# shellcheck shell=sh
#
# Format (README.md repeats it): two sorted lists of NUL-terminated records,
# one after the other, both ordered by path as bytes.
#  1. for every path but the root itself:
#     PATH TAB TYPE TAB MODE TAB UID TAB GID TAB SIZE TAB LINK_TARGET
#     TYPE is find's letter, MODE octal, SIZE decimal and 0 unless a file.
#  2. for every regular file: SHA256 SPACE SPACE PATH
# Times, hard links and device numbers are not part of it.

# tree_listing TREE LISTING: writes the listing; needs a directory beside it.
tree_listing()
(
	cd "$1" || exit 1
	find . -mindepth 1 \
		\( -type f -printf '%P\t%y\t%m\t%U\t%G\t%s\t\0' \
		-o -printf '%P\t%y\t%m\t%U\t%G\t0\t%l\0' \) |
		LC_ALL=C sort -z >"$2"
	find . -type f -printf '%P\0' | LC_ALL=C sort -z >"$2.files"
	if [ -s "$2.files" ]; then
		half_=$(($(tr -dc '\0' <"$2.files" | wc -c) / 2 + 1))
		head -z -n "$half_" "$2.files" |
			xargs -0 sha256sum -z -- >"$2.a" &
		tail -z -n "+$((half_ + 1))" "$2.files" |
			xargs -0 -r sha256sum -z -- >"$2.b"
		wait "$!"
		cat "$2.a" "$2.b" >>"$2"
		rm "$2.a" "$2.b"
	fi
	rm "$2.files"
)

# tree_digest TREE LISTING: prints the sha256 of the listing.
tree_digest()
{
	tree_listing "$1" "$2"
	sha256sum <"$2" | cut -d ' ' -f 1
}

# uuid_from HEX: a valid version 8 UUID made of a digest.
uuid_from()
{
	printf '%s' "$1" | sed -E \
		's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-8\3-8\4-\5/'
}
