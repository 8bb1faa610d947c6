#!/usr/bin/env bash
# Two machines that find each other through Orrery and ping each other, on one Linux computer: a server and two network
# namespaces as the machines. Needs root, nebula, iproute2 and ping; removes everything it made when it ends.
#
#   sudo examples/two-machines.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for program in nebula ip ping node curl; do
  command -v "$program" >/dev/null || { echo "$program is missing (Debian: apt install nebula iproute2 iputils-ping curl)" >&2; exit 1; }
done
[[ $(id -u) == 0 ]] || { echo "network namespaces need root: sudo $0" >&2; exit 1; }
[[ -f dist/cli/index.js ]] || { echo "build first: npm ci && npm run build" >&2; exit 1; }

folder=$(mktemp -d)
network=198.18.251 # for tests of networks (RFC 2544)
export DATABASE_URL=file:$folder/orrery.db ORRERY_DATA_DIR=$folder ORRERY_HOST=$network.1 ORRERY_PORT=4400 ORRERY_LOG_LEVEL=warn
server=http://$network.1:4400

finish() {
  trap - EXIT
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
  wait || true
  for machine in alpha beta; do
    ip link del "orrery-$machine" 2>/dev/null || true
    ip netns del "orrery-$machine" 2>/dev/null || true
  done
  ip link del orrery-switch 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT

step() { printf '\n── %s\n' "$*"; }
orrery() { node dist/cli/index.js "$@"; }
ask() { # a token and a query; prints the answer
  curl -sS "$server/graphql" -H "Authorization: Bearer $1" -H 'Content-Type: application/json' \
    --data-binary "$(node -e 'console.log(JSON.stringify({ query: process.argv[1] }))' "$2")"
}
pick() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; } # a field out of an answer
machine() { # a name and an address: a namespace with a cable to the switch
  ip netns add "orrery-$1"
  ip -n "orrery-$1" link set lo up
  ip link add "orrery-$1" type veth peer name eth0 netns "orrery-$1"
  ip link set dev "orrery-$1" master orrery-switch up
  ip -n "orrery-$1" addr add "$2/24" dev eth0
  ip -n "orrery-$1" link set eth0 up
}
on() { ip netns exec "orrery-$1" "${@:2}"; }

step 'A switch, a server on it, and two machines'
ip link add orrery-switch type bridge
ip addr add $network.1/24 dev orrery-switch
ip link set orrery-switch up
machine alpha $network.11
machine beta $network.12
node dist/cli/index.js serve >"$folder/server.log" 2>&1 &
until curl -fs "$server/readyz" >/dev/null; do
  kill -0 $! 2>/dev/null || { cat "$folder/server.log" >&2; exit 1; }
  sleep 0.2
done

step 'A tenant, a cluster, and a lighthouse named alpha'
operator=$(orrery token create --role operator)
tenant=$(ask "$operator" 'mutation { createTenant(input: { name: "Acme" }) { ... on CreateTenantPayload { tenant { id } } } }' | pick id)
answer=$(ask "$operator" "mutation { createCluster(input: { tenantId: \"$tenant\", name: \"office\" }) {
  ... on CreateClusterPayload { cluster { id } token } } }")
cluster=$(pick id <<<"$answer")
cluster_token=$(pick token <<<"$answer")
alpha_token=$(ask "$operator" "mutation { createNode(input: { clusterId: \"$cluster\", name: \"alpha\", isLighthouse: true,
  lighthousePublicIp: \"$network.11\" }) { ... on CreateNodePayload { token } ... on Error { message } } }" | pick token)

step 'alpha enrolls with the token that was made for it, beta with the cluster token'
enroll() { # a machine and its token; the token comes from standard input, so that no list of processes shows it
  on "$1" node dist/cli/index.js agent enroll --server "$server" --insecure-http --token-file - \
    --name "$1" --state-dir "$folder/$1" <<<"$2"
  ip netns exec "orrery-$1" node dist/cli/index.js agent run --state-dir "$folder/$1" >"$folder/$1.log" 2>&1 &
}
enroll alpha "$alpha_token"
enroll beta "$cluster_token"

step 'beta pings alpha through the overlay'
for _ in $(seq 60); do
  on beta ping -c 1 -W 1 10.42.0.1 >/dev/null 2>&1 && break
  sleep 0.5
done
on beta ping -c 3 10.42.0.1

step 'What the control plane knows'
ask "$operator" "{ cluster(id: \"$cluster\") { configVersion latestBundleVersion
  nodes { nodes { name overlayIp runningConfigVersion nebulaVersion certificateExpiresAt } } } }"
echo
