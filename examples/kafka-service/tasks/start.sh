#!/bin/sh
# Starts a controller or a broker on its formatted volume. The last line is an exec: a shell left in front of the JVM would be
# killed in its place, and the JVM would live on with the port and the lock of the data directory.
. ./settings.sh

# JVM_FLAGS holds several words on purpose.
# shellcheck disable=SC2086
exec "$JAVA" "-Xms${HEAP_MB}m" "-Xmx${HEAP_MB}m" $JVM_FLAGS -Djava.awt.headless=true \
  "-Dkafka.logs.dir=$logs" "-Dlog4j2.configurationFile=file:$PWD/log4j2.yaml" \
  -cp "$classpath" kafka.Kafka server.properties
