#!/bin/sh
# What each departure from the paper's recipe is worth: the same short run with and without it, on
# galaxies that are drawn as they are needed, and R² on 1,000 others that no run learns from.
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

# NAME OPTIONS…: a run, and its R² for every parameter.
run() {
    name=$1
    shift
    out=$folder/$name
    if ! test -f "$out/report.txt"; then
        rm -rf "$out"
        $legato -q train --recipe best --parameter "$parameters" --architecture 2 --simulate "$survey" \
            --stamps-per-epoch $((stamps / 8)) --validation 240 "$@" -o "$out"
        $legato -q evaluate --data "$folder/test.fits" --models "$out" > "$out/report.txt"
    fi
    awk -v name="$name" 'NR > 2 { line = line sprintf("  %-12s %8s", $1, $3) } END { printf "%-22s%s\n", name, line }' \
        "$out/report.txt"
}

run as-it-is --batch 8
run dropout --batch 8 --dropout 0.15
run noise --batch 8 --noise 0.01
run dropout-and-noise --batch 8 --dropout 0.15 --noise 0.01
run constant-rate --batch 8 --schedule constant
run batch-32 --batch 32
run no-stretch --batch 8 --stretch none
run linear-dense --batch 8 --dense linear
run half-rate --batch 8 --learning-rate 0.0005
run double-rate --batch 8 --learning-rate 0.002
