# The first process of the virtual machine, read by the busybox of the folder that the kernel's command line names: makes a
# root that can be written to over the host's files, loads modules, and runs RUN/command, with its output going to the two
# serial lines and its status to RUN/status. `tools` and `run` are words of the kernel's command line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
busybox=$tools/bin/busybox

give_up() {
    echo "cannot set the machine up: $1"
    $busybox poweroff -f
}

$busybox mount -t proc proc /proc || give_up /proc
$busybox mount -t tmpfs tmpfs /mnt || give_up tmpfs
$busybox insmod "$modules/kernel/fs/overlayfs/overlay.ko" || give_up overlay
cd /mnt && $busybox mkdir upper work root
$busybox mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root || give_up root
cd root
$busybox mkdir -p lib/modules "lib/modules/$release" sys run dev tmp sbin
# The cache of the host: no test may change what the next one boots with.
$busybox mount -r -t hostfs -o "$modules" none "lib/modules/$release" || give_up modules
# The kernel calls /sbin/modprobe for all that is not loaded here.
$busybox ln -sf "$tools/bin/busybox" sbin/modprobe
$busybox mount -t devtmpfs dev dev || give_up /dev
$busybox mount --move /proc proc
$busybox mkdir -p old
$busybox pivot_root . old || give_up pivot_root
$busybox mount -t sysfs sys /sys
$busybox mount -t tmpfs tmpfs /run
$busybox mkdir -p /dev/pts /dev/shm
$busybox mount -t devpts devpts /dev/pts
$busybox mount -t tmpfs tmpfs /dev/shm
# What the command writes is the host's here, and only here.
$busybox mkdir -p "$run"
$busybox mount -t hostfs -o "$run" none "$run" || give_up "$run"
$busybox mount -o remount,rw "$run" 2>/dev/null
$busybox hostname steadfast-vm
$busybox ip link set lo up

$busybox stty -F /dev/ttyS0 raw -echo
$busybox stty -F /dev/ttyS1 raw -echo
# Pipes, so that no terminal is seen.
$busybox mkfifo /run/out /run/errors
$busybox cat /run/out >/dev/ttyS0 &
out=$!
$busybox cat /run/errors >/dev/ttyS1 &
errors=$!
/bin/sh "$run/command" </dev/null >/run/out 2>/run/errors
echo $? >"$run/status"
# What it left behind would keep the pipes open.
for process in /proc/[0-9]*; do
    process=${process#/proc/}
    case $process in 1|$out|$errors) continue ;; esac
    [ -s "/proc/$process/cmdline" ] && $busybox kill -KILL "$process" 2>/dev/null
done
wait $out $errors
$busybox stty -F /dev/ttyS0 >/dev/null 2>&1
$busybox stty -F /dev/ttyS1 >/dev/null 2>&1
$busybox sync
$busybox poweroff -f
