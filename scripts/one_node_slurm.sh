#!/usr/bin/env bash
# A Slurm cluster of one node, this machine, to try grading on a batch system.
#
#   scripts/one_node_slurm.sh start FOLDER    starts munged, slurmctld and slurmd
#   scripts/one_node_slurm.sh stop FOLDER     ends them, with all jobs, and removes FOLDER
#
# As root, on Debian or Ubuntu: apt-get install slurm-wlm munge. Nothing of the system's own Slurm
# is used or changed: keys, sockets, state and logs are in FOLDER, which only root may enter, and
# which must not be there before. Slurm's commands find this cluster by
#
#   export SLURM_CONF=FOLDER/slurm.conf
set -euo pipefail

readonly NEEDED=(munged slurmctld slurmd sbatch scancel squeue sinfo)
readonly PATIENCE=30 # seconds for the node to become ready

say() { printf 'one_node_slurm: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

configure() {
    local host memory
    host=$(hostname -s)
    memory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
    dd if=/dev/urandom of="$FOLDER/munge.key" bs=1024 count=1 status=none
    chmod 400 "$FOLDER/munge.key"
    cat >"$FOLDER/slurm.conf" <<EOF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$FOLDER/munge.socket
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ReturnToService=2
SchedulerParameters=bf_interval=5,sched_interval=5
StateSaveLocation=$FOLDER/state
SlurmdSpoolDir=$FOLDER/spool
SlurmctldPidFile=$FOLDER/slurmctld.pid
SlurmdPidFile=$FOLDER/slurmd.pid
SlurmctldLogFile=$FOLDER/slurmctld.log
SlurmdLogFile=$FOLDER/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=01:00:00 State=UP
EOF
}

start() {
    local missing=() program second
    [[ $EUID -eq 0 ]] || die "start it as root."
    for program in "${NEEDED[@]}"; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    ((${#missing[@]} == 0)) || die "${missing[*]} missing: apt-get install slurm-wlm munge"
    [[ ! -e $FOLDER ]] || die "$FOLDER is there already: stop that one first."
    mkdir -m 700 "$FOLDER"
    mkdir "$FOLDER/state" "$FOLDER/spool"
    configure
    trap 'stop; die "it did not start"' ERR
    munged --force --key-file "$FOLDER/munge.key" --socket "$FOLDER/munge.socket" \
        --pid-file "$FOLDER/munged.pid" --log-file "$FOLDER/munged.log" --seed-file "$FOLDER/munge.seed"
    slurmctld -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for ((second = 0; second < PATIENCE; second++)); do
        if [[ $(sinfo -h -o %T 2>/dev/null) == idle ]]; then
            say "ready: export SLURM_CONF=$SLURM_CONF"
            return
        fi
        sleep 1
    done
    tail -n 5 "$FOLDER"/*.log >&2
    stop
    die "the node is not ready after $PATIENCE seconds."
}

stop() {
    local name pid
    trap - ERR
    if [[ -S $FOLDER/munge.socket ]]; then
        scancel --full --signal=KILL --user="$(id -un)" 2>/dev/null || true
        scancel --user="$(id -un)" 2>/dev/null || true
        for ((second = 0; second < PATIENCE; second++)); do
            [[ -n $(squeue -h 2>/dev/null) ]] || break
            sleep 1
        done
    fi
    for name in slurmd slurmctld munged; do
        [[ -s $FOLDER/$name.pid ]] || continue
        pid=$(<"$FOLDER/$name.pid")
        [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$name" ]] || continue
        kill "$pid"
        for ((second = 0; second < PATIENCE * 10; second++)); do
            [[ -d /proc/$pid ]] || break
            sleep 0.1
        done
    done
    rm -rf -- "$FOLDER"
}

[[ $# -eq 2 ]] || die "usage: scripts/one_node_slurm.sh start|stop FOLDER"
FOLDER=$(realpath -m -- "$2")
readonly FOLDER
export SLURM_CONF=$FOLDER/slurm.conf
case $1 in
start) start ;;
stop)
    [[ -f $SLURM_CONF ]] || die "there is no cluster in $FOLDER."
    stop
    ;;
*) die "usage: scripts/one_node_slurm.sh start|stop FOLDER" ;;
esac
