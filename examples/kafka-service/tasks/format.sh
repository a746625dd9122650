#!/bin/sh
# Writes the cluster id and a directory id into an empty volume. Run once per volume, before the first start; it may be repeated
# until its success is stored, so a volume that is formatted already is left as it is. It never runs on a relaunch: a volume
# that lost its content then stops the broker instead of turning it into an empty one.
. ./settings.sh

# The tool would take such an id for an option.
case $CLUSTER_ID in -*) echo "the cluster id '$CLUSTER_ID' must not begin with a dash" >&2; exit 2 ;; esac

mkdir -p "$data"
exec "$JAVA" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Djava.awt.headless=true \
  "-Dkafka.logs.dir=$logs" "-Dlog4j2.configurationFile=file:$PWD/log4j2.yaml" -Dstateward.level=WARN \
  -cp "$classpath" kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" --config server.properties --ignore-formatted
