#!/usr/bin/env bash
# Requests over loopback: what the server's CPU spends on one, and how many there are in a second. `benches/e2e.sh`
# needs wrk and two cores: the server is alone on the first, wrk on the second. The forms take turns, REPETITIONS (8)
# times for SECONDS_EACH (3) seconds; the medians are printed, and the ratio to `bare` of the same turn.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
repetitions="${REPETITIONS:-8}" seconds="${SECONDS_EACH:-3}"
forms=(bare outside inside protect denied)
server=$(cargo bench --locked --no-run --bench e2e --message-format=json |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "e2e":
        print(message["executable"])')
token="0000.$(printf 'eyJhbGciOi%.0s' {1..80} | cut -c1-793)"
results=$(mktemp)
trap 'kill "${running:-}" 2>/dev/null || true; rm -f "$results"' EXIT

cpu_ticks() {
    awk '{print $14 + $15}' "/proc/$running/stat"
}

for turn in $(seq "$repetitions"); do
    for form in "${forms[@]}"; do
        exec 3< <(exec taskset -c 0 "$server" "$form")
        running=$!
        read -r port <&3
        taskset -c 1 wrk -t1 -c64 -d1s -H "Authorization: Bearer $token" "http://127.0.0.1:$port/users/42" >/dev/null
        before=$(cpu_ticks)
        answer=$(taskset -c 1 wrk -t1 -c64 -d"${seconds}s" \
            -H "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" \
            -H "Accept: application/json, text/plain, */*" -H "Accept-Language: en-GB,en;q=0.7,de;q=0.3" \
            -H "Accept-Encoding: gzip, deflate, br, zstd" -H "Authorization: Bearer $token" \
            -H "Origin: https://app.example.com" -H "Referer: https://app.example.com/orders" \
            -H "X-Request-Id: 7b0c4a7c-5f0e-4b7e-9a3c-0d6f3a1f2b11" -H "Cookie: session=abcdef; theme=dark" \
            "http://127.0.0.1:$port/users/42")
        after=$(cpu_ticks)
        kill "$running"
        wait "$running" 2>/dev/null || true
        requests=$(awk '/requests in/ {print $1}' <<<"$answer")
        rate=$(awk '/^Requests\/sec/ {print $2}' <<<"$answer")
        echo "$turn $form $rate $(awk -v t="$((after - before))" -v n="$requests" -v hz="$(getconf CLK_TCK)" \
            'BEGIN {print t / hz * 1e9 / n}')" >>"$results"
    done
done

python3 - "$results" <<'PYTHON'
import statistics
import sys

rows = [line.split() for line in open(sys.argv[1])]
bare = {turn: (float(rate), float(cpu)) for turn, form, rate, cpu in rows if form == "bare"}
print(f"{'':<10} {'requests/s':>11} {'of bare':>9} {'CPU, ns':>9} {'over bare':>10}")
for form in dict.fromkeys(row[1] for row in rows):
    mine = [(turn, float(rate), float(cpu)) for turn, name, rate, cpu in rows if name == form]
    middle = statistics.median
    print(
        f"{form:<10} {middle(rate for _, rate, _ in mine):>11.0f}"
        f" {middle(rate / bare[turn][0] for turn, rate, _ in mine):>9.2f}"
        f" {middle(cpu for _, _, cpu in mine):>9.0f}"
        f" {middle(cpu / bare[turn][1] - 1 for turn, _, cpu in mine):>+10.1%}"
    )
PYTHON
