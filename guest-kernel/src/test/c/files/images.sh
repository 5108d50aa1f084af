#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the ext2 images of the tests: images.sh DIRECTORY. Contents as test_ext2.c expects them.
set -eu
out=$1
tree=$out/tree
rm -rf "$tree"
mkdir -p "$tree/dir" "$tree/links" "$tree/many"
printf 'hello\n' > "$tree/dir/hello"
chmod 640 "$tree/dir/hello"
ln "$tree/dir/hello" "$tree/dir/hard"
touch -d @1600000000 "$tree/dir/hello"
: > "$tree/dir/$(printf '%255s' '' | tr ' ' L)"
awk 'BEGIN {
    for (i = 0; i < 140626; i++) {
        line = ""
        for (j = 0; j < 64; j++) line = line sprintf("%c", 32 + (i + j) % 90)
        printf "%s", line
    }
}' | head -c 9000001 > "$tree/pattern"
ln -s ../dir/hello "$tree/links/short"
ln -s "$(printf './%.0s' $(seq 100))../dir/hello" "$tree/links/long"
ln -s /dir/hello "$tree/links/absolute"
ln -s loop "$tree/links/loop"
ln -s nowhere "$tree/links/dangling"
ln -s ../dir "$tree/links/todir"
ln -s ../dir/hello "$tree/links/chain1"
for i in $(seq 2 41); do ln -s "chain$((i - 1))" "$tree/links/chain$i"; done
for i in $(seq 0 2999); do : > "$tree/many/entry-$i"; done

# image BLOCK_SIZE REVISION SPARSE_END: the last byte of /sparse lies behind the double indirect blocks.
image() {
    printf B > "$tree/sparse"
    printf E | dd of="$tree/sparse" bs=1 seek="$3" conv=notrunc status=none
    file=$out/ext2-$1-r$2.img
    rm -f "$file"
    mke2fs -q -t ext2 -r "$2" -b "$1" -N 4000 -d "$tree" "$file" 64m
}
image 1024 1 70000000
image 2048 1 600000000
image 4096 1 4500000000
image 1024 0 70000000

# For test_layer.c: what an application has in its directory.
app=$out/app
rm -rf "$app"
mkdir -p "$app/app/lib" "$app/app/config" "$app/app/static/deep/deeper" "$app/app/empty" "$app/app/many" "$app/home" "$app/tmp"
head -c 300000 "$tree/pattern" > "$app/app/app.jar"
head -c 70000 "$tree/pattern" > "$app/app/lib/one.jar"
printf two > "$app/app/lib/two.jar"
printf 'a=b\n' > "$app/app/config/a.properties"
printf deep > "$app/app/static/deep/deeper/file"
printf same > "$app/app/static/hard"
ln "$app/app/static/hard" "$app/app/config/hard"
ln -s config/a.properties "$app/app/link"
for i in $(seq 0 1999); do printf %s "$i" > "$app/app/many/entry-$i"; done
rm -f "$out/ext2-app.img"
mke2fs -q -t ext2 -b 4096 -N 4000 -d "$app" "$out/ext2-app.img" 16m

# For the fuzzer: one of everything in few blocks.
small=$out/small
rm -rf "$small"
mkdir -p "$small/d/e"
printf x > "$small/d/f"
head -c 300000 "$tree/pattern" > "$small/indirect"
ln -s d/f "$small/short"
ln -s "$(printf './%.0s' $(seq 40))d/f" "$small/long"
mkdir "$small/big"
for i in $(seq 100 260); do : > "$small/big/$(printf '%100s' '' | tr ' ' n)$i"; done
rm -f "$out/ext2-small.img"
mke2fs -q -t ext2 -b 1024 -N 200 -d "$small" "$out/ext2-small.img" 512k

# For test_data_disk.c: empty disks.
for size in 1024 4096; do
    rm -f "$out/data-$size.img"
    mke2fs -q -t ext2 -b $size -L data "$out/data-$size.img" 8m
done
