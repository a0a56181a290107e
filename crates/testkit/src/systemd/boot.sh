# A systemd of its own as process 1: sh boot.sh FOLDER, where FOLDER/upper has the files that differ from this machine's.
#
# It sees the machine's files through an overlay, has process numbers, mounts, host name and control groups of its own,
# and shares the network. Its own units are those of FOLDER/units and of the distribution's packages; nothing that this
# machine's administrator enabled is started.
set -eu
folder=$1
mkdir -p "$folder/work" "$folder/root" "$folder/groups"
mount -t cgroup2 none "$folder/groups"
group=$folder/groups/${folder##*/}
mkdir "$group"
echo $$ > "$group/cgroup.procs"
exec unshare --cgroup --mount --pid --uts --ipc --fork --kill-child --propagation private sh -euc '
folder=$1 root=$1/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
rm -rf "$root/etc/systemd/system" "$root/etc/fstab"
cp -r "$folder/units" "$root/etc/systemd/system"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
cd "$root"
pivot_root . mnt
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target
' boot "$folder"
