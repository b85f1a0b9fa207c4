#!/bin/sh
# What each departure from the paper's recipe is worth: the same short run with and without it, on
# galaxies that are drawn as they are needed, and on a data set; and R² on 1,000 others that no run learns from.
#
#   sh benches/departures.sh FOLDER [STAMPS] [PARAMETERS] [SIZE]
#
# STAMPS are seen by each run (6400), of SIZE×SIZE pixels (64, a quarter of the work of the paper's
# 128). Prints a table. What is in FOLDER already is not done again.
set -eu
folder=$1
stamps=${2:-6400}
parameters=${3:-magnitude,radius,sersic-index,axis-ratio}
size=${4:-64}
legato=${LEGATO:-target/release/legato}
root=$(dirname "$0")/..

mkdir -p "$folder"
survey=$folder/survey.toml
sed -e "s/^stamp_size *=.*/stamp_size = $size/" -e 's/^name *=.*/name = "departures"/' \
    "$root/datasets/candels-f160w.toml" > "$survey"
test -f "$folder/test.fits" || $legato -q --seed 99 simulate --survey "$survey" -n 1000 -o "$folder/test.fits"

# A data set that as many epochs go through as the runs on fresh galaxies have.
set=$folder/set.fits
test -f "$set" || $legato -q --seed 7 simulate --survey "$survey" -n $((stamps / 8 * 5 / 4)) -o "$set"

# `best` with what has no flag of its own: mirrored stamps, shifted ones, a smaller step.
recipe() {
    sed -e "$2" "$root/recipes/best.toml" > "$folder/$1.toml"
}
recipe flips 's/^flips *=.*/flips = true/'
recipe shifts 's/^shift *=.*/shift = 0.05/'
recipe flips-and-shifts 's/^flips *=.*/flips = true/; s/^shift *=.*/shift = 0.05/'

# NAME OPTIONS…: a run, and its R² for every parameter.
run() {
    name=$1
    shift
    out=$folder/$name
    if ! test -f "$out/report.txt"; then
        rm -rf "$out"
        $legato -q train --parameter "$parameters" --architecture 2 "$@" -o "$out"
        $legato -q evaluate --data "$folder/test.fits" --models "$out" > "$out/report.txt"
    fi
    awk -v name="$name" 'NR > 2 { line = line sprintf("  %-12s %8s", $1, $3) } END { printf "%-22s%s\n", name, line }' \
        "$out/report.txt"
}
# NAME RECIPE OPTIONS…: on galaxies that come once.
fresh() {
    name=$1
    recipe=$2
    shift 2
    run "$name" --recipe "$recipe" --simulate "$survey" --stamps-per-epoch $((stamps / 8)) --validation 240 "$@"
}

fresh as-it-is best --batch 8
# How much of a difference is chance: other galaxies and other weights to begin with.
fresh seed-2 best --batch 8 --seed 2
fresh seed-3 best --batch 8 --seed 3
fresh dropout best --batch 8 --dropout 0.15
fresh noise best --batch 8 --noise 0.01
fresh dropout-and-noise best --batch 8 --dropout 0.15 --noise 0.01
fresh constant-rate best --batch 8 --schedule constant
fresh batch-32 best --batch 32
fresh no-stretch best --batch 8 --stretch none
fresh linear-dense best --batch 8 --dense linear
fresh half-rate best --batch 8 --learning-rate 0.0005
fresh double-rate best --batch 8 --learning-rate 0.002
fresh flips "$folder/flips.toml" --batch 8
fresh shifts "$folder/shifts.toml" --batch 8
run set --recipe best --data "$set" --survey "$survey" --batch 8
run set-flips-and-shifts --recipe "$folder/flips-and-shifts.toml" --data "$set" --survey "$survey" --batch 8
