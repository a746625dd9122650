#!/bin/bash
# Ready: this very process says that it has started (the sandbox, and so its log, is new at every launch), and its port is open.
# For a broker that is after it registered and was unfenced; for a controller it says nothing about the quorum, which is asked
# by a gate. Starts no JVM, so it may run every second.
grep -q 'Kafka Server started' server.log 2>/dev/null || { echo 'the log does not say yet that Kafka has started'; exit 1; }
exec 3<>"/dev/tcp/$ADDRESS/$PORT" || { echo "nothing listens on $ADDRESS:$PORT"; exit 1; }
