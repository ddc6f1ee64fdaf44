// Syscalls and kernel headers that Swift's Glibc module does not show. Nothing here allocates or keeps state.
//
// Every function returns what the syscall returns: -1 (or a negative value) with `errno` set on failure.
// _GNU_SOURCE must not be defined here: types would then differ from those in Swift's Glibc module.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/veth.h>

// Namespaces (setns(2), unshare(2)); values as in <sched.h>.
enum { LINUX_CLONE_NEWNET = 0x40000000, LINUX_CLONE_NEWNS = 0x00020000, LINUX_CLONE_NEWUSER = 0x10000000 };
int linux_setns(int descriptor, int type);
int linux_unshare(int flags);

// Mounts (mount(2), umount2(2)); values as in <sys/mount.h>.
enum {
    LINUX_MS_RDONLY = 1, LINUX_MS_NOSUID = 2, LINUX_MS_NODEV = 4, LINUX_MS_NOEXEC = 8, LINUX_MS_REMOUNT = 32, LINUX_MS_BIND = 4096,
    LINUX_MS_REC = 16384, LINUX_MS_PRIVATE = 1 << 18, LINUX_MS_SLAVE = 1 << 19, LINUX_MS_SHARED = 1 << 20, LINUX_MNT_DETACH = 2,
};
int linux_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int linux_umount(const char *target, int flags);
/// The file system's magic number, or -1.
long linux_filesystem_type(const char *path);
enum { LINUX_NSFS_MAGIC = 0x6e736673 };

// Paths that must not be walked blindly (open(2), openat2(2)).
#ifndef O_PATH
#define O_PATH 010000000
#endif
enum {
    LINUX_RESOLVE_NO_XDEV = 0x01, LINUX_RESOLVE_NO_MAGICLINKS = 0x02, LINUX_RESOLVE_NO_SYMLINKS = 0x04, LINUX_RESOLVE_BENEATH = 0x08, LINUX_RESOLVE_IN_ROOT = 0x10,
};
int linux_openat2(int directory, const char *path, int flags, unsigned int mode, uint64_t resolve);

/// Writes the file system that holds an open file to its disk (syncfs(2)).
int linux_syncfs(int descriptor);

// Peer of a unix socket, and descriptors sent over one (unix(7)).
struct linux_peer { int pid; unsigned int uid; unsigned int gid; };
int linux_peer_credentials(int socket, struct linux_peer *peer);
/// Receives one message of at most `size` bytes with at most one descriptor, close-on-exec; `*descriptor` is -1 when none came.
ssize_t linux_receive_descriptor(int socket, void *buffer, size_t size, int *descriptor);

/// Orphaned descendants become children of this process (prctl(2)).
int linux_become_subreaper(void);
/// Sets columns and rows of a terminal.
int linux_set_window_size(int terminal, uint16_t columns, uint16_t rows);

// Index of a setting in IFLA_INET_CONF (<linux/ip.h>, which clashes with <netinet/ip.h>).
enum { LINUX_IPV4_DEVCONF_RP_FILTER = 8, LINUX_IPV4_DEVCONF_ROUTE_LOCALNET = 26 };

/// Lets a netlink socket receive only those `inet_diag_msg` (sock_diag(7)) whose socket had no peer: listeners and unconnected sockets.
int linux_filter_sockets_without_peer(int socket);

// Socket states of sock_diag as a mask of all (<net/tcp_states.h> is the kernel's own).
enum { LINUX_ALL_SOCKET_STATES = 0xfff };

// Gives memory that was freed back to the system (malloc_trim(3)).
void linux_give_back_memory(void);

// For daemons, before they start anything: two heaps instead of eight a processor (mallopt(3)), and what is free goes back to the system every few
// seconds, from a thread of its own.
void linux_keep_little_memory(void);
