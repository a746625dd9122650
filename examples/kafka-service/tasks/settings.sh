# Read by format.sh and start.sh: writes server.properties from the task's environment. Both must see the same node id, role and
# directory, so both take them from here. POSIX sh.
set -eu

# The volume is a symbolic link in a sandbox that is new at every launch. Kafka gets the place behind it, which stays the same.
volume=$(cd "$VOLUME" && pwd -P)
# The id in the directory's name: a volume that turns up under another node id looks empty instead of being taken over.
data=$volume/$ROLE-$NODE_ID
logs=$PWD
# format.sh opens no port and may have none; the tool still checks that the listener has one.
port=${PORT:-9092}
classpath="$KAFKA_LIBS/*"

case $ROLE in
  controller)
    listeners="CONTROLLER://$ADDRESS:$port"
    ;;
  broker)
    # Always with the address: an empty host means all addresses, and then two brokers of one machine cannot share a port number.
    listeners="CLIENT://$ADDRESS:$port"
    ;;
  *)
    echo "ROLE must be controller or broker, found '$ROLE'" >&2
    exit 2
    ;;
esac

{
  echo "process.roles=$ROLE"
  echo "node.id=$NODE_ID"
  echo "log.dirs=$data"
  echo "listeners=$listeners"
  echo "controller.quorum.voters=$VOTERS"
  echo "controller.listener.names=CONTROLLER"
  echo "listener.security.protocol.map=CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT"
  if [ "$ROLE" = broker ]; then
    echo "advertised.listeners=$listeners"
    echo "inter.broker.listener.name=CLIENT"
    # A zone only if the agent has one: Kafka takes an empty rack for a rack of its own.
    if [ -n "${RACK:-}" ]; then echo "broker.rack=$RACK"; fi
  fi
  # The author's own settings come last: of two equal keys Kafka takes the later one.
  printf '%s\n' "${SETTINGS:-}"
} > server.properties
