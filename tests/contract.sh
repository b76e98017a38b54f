#!/usr/bin/env bash
# The live API against its own description: schemathesis makes requests of all sorts, as an administrator in a session, as a program with a
# token and as nobody. No reply may be a fault of the server, or of a status, a type or a form that the description does not have.
# Usage: tests/contract.sh PROGRAM SCHEMATHESIS
set -euo pipefail
program=$(realpath "$1")
st=$(realpath "$2")
base=$(mktemp -d)
cp -r articles templates "$base"
cd "$base"
export PHAROS_REQUESTS_PER_MINUTE=0
unset PHAROS_DATA PHAROS_DATABASE
link=$("$program" people add admin --role administrator | tail -1)
"$program" serve --listen 127.0.0.1:0 --log warn >serve.out 2>serve.err &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$base"' EXIT
for _ in $(seq 100); do
  url=$(sed -n 's/^Pharos is at //p' serve.out)
  [ -n "$url" ] && curl -sf "$url/health/ready" >/dev/null && break
  sleep 0.1
done
send() { curl -sf -H 'content-type: application/json' -H 'sec-fetch-site: same-origin' "$@"; }
cookie=$(send -D - -o /dev/null "$url/api/v1/link" -d "{\"secret\":\"${link##*#}\",\"password\":\"correct horse battery staple\"}" |
  sed -n 's/^[Ss]et-[Cc]ookie: \([^;]*\);.*/\1/p')
[ -n "$cookie" ] || { echo "nobody was signed in" >&2; exit 1; }
token=$(send -H "cookie: $cookie" "$url/api/v1/me/tokens" -d '{"name":"contract","scopes":["read","edit","see-gaps","see-problems","see-people","see-health","see-audit"],"days":1,"password":"correct horse battery staple"}' |
  sed 's/.*"secret":"\([^"]*\)".*/\1/')
checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance
# The stream of events never ends; what ends the session or the token under test would leave the rest untried.
run() {
  rm -f report.json
  "$st" run "$url/api/v1/openapi.json" --checks "$checks" --phases examples,coverage,fuzzing --seed 11 --no-color \
    --exclude-path /api/v1/live --exclude-path-regex '/api/v1/(session|me/sessions|me/password)$' \
    --exclude-operation-id end_sessions --exclude-operation-id remove_token --exclude-operation-id remove_own_token \
    --exclude-operation-id make_link --exclude-operation-id end_own_session --request-timeout 30 --generation-with-security-parameters false \
    --suppress-health-check=filter_too_much --report json --report-json-path report.json "$@" >run.log 2>&1 || true
  # What schemathesis itself stumbles over is told; what the server got wrong fails.
  python3 - "$@" <<'PYTHON' || { cat run.log; exit 1; }
import json, sys
report = json.load(open("report.json"))
cases, wrong = report["test_cases"], report["failures"]
print(f"{report['operations']['tested']} operations, {cases['generated']} requests, {len(wrong)} wrong, {len(report['errors'])} not made")
sys.exit(1 if wrong or cases["generated"] < 1000 or report["operations"]["tested"] < 40 else 0)
PYTHON
}
echo "as an administrator"
run --max-examples 10 --max-time 120 --header "Cookie: $cookie" --header 'Sec-Fetch-Site: same-origin'
send -H "cookie: $cookie" "$url/api/v1/articles?limit=1" >/dev/null || { echo "the session was lost on the way" >&2; exit 1; }
echo "as a program with a token"
run --max-examples 5 --max-time 60 --header "Authorization: Bearer $token"
echo "as nobody"
run --max-examples 3 --max-time 40
if [ -s serve.err ] && grep -v 'is refused\|is wrong, or good no more\|not permitted\|too many tries failed\|answered status=503' serve.err; then
  echo "the server complained, see above" >&2
  exit 1
fi
