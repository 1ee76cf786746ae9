while read -r key value rest; do
	case $key in
	Uid:) echo "uid=$value" ;;
	Gid:) echo "gid=$value" ;;
	esac
done </proc/self/status
echo "home=$HOME"
for tool in git bash; do
	if command -v "$tool" >/dev/null 2>&1; then echo "$tool=yes"; fi
done
for manager in apt-get apk dnf microdnf yum zypper pacman; do
	if command -v "$manager" >/dev/null 2>&1; then echo "manager=$manager" && break; fi
done
if [ -e /proc/sys/net/ipv6/conf/lo/disable_ipv6 ]; then echo ipv6=yes; fi
exit 0
