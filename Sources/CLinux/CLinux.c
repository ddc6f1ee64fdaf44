#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/ip.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

_Static_assert((int)LINUX_CLONE_NEWNET == (int)CLONE_NEWNET && (int)LINUX_CLONE_NEWNS == (int)CLONE_NEWNS && (int)LINUX_CLONE_NEWUSER == (int)CLONE_NEWUSER, "sched.h");
_Static_assert((int)LINUX_MS_BIND == (int)MS_BIND && (int)LINUX_MS_REC == (int)MS_REC && (int)LINUX_MS_SHARED == (int)MS_SHARED && (int)LINUX_MS_SLAVE == (int)MS_SLAVE, "mount.h");
_Static_assert((int)LINUX_MS_PRIVATE == (int)MS_PRIVATE && (int)LINUX_MS_REMOUNT == (int)MS_REMOUNT && (int)LINUX_MS_RDONLY == (int)MS_RDONLY, "mount.h");
_Static_assert((int)LINUX_MS_NOSUID == (int)MS_NOSUID && (int)LINUX_MS_NODEV == (int)MS_NODEV && (int)LINUX_MS_NOEXEC == (int)MS_NOEXEC, "mount.h");
_Static_assert((int)LINUX_MNT_DETACH == (int)MNT_DETACH, "mount.h");
_Static_assert((int)LINUX_RESOLVE_BENEATH == (int)RESOLVE_BENEATH && (int)LINUX_RESOLVE_IN_ROOT == (int)RESOLVE_IN_ROOT, "openat2.h");
_Static_assert((int)LINUX_RESOLVE_NO_SYMLINKS == (int)RESOLVE_NO_SYMLINKS && (int)LINUX_RESOLVE_NO_MAGICLINKS == (int)RESOLVE_NO_MAGICLINKS, "openat2.h");
_Static_assert(O_PATH == 010000000, "fcntl.h");
_Static_assert((int)LINUX_IPV4_DEVCONF_RP_FILTER == (int)IPV4_DEVCONF_RP_FILTER, "ip.h");
_Static_assert((int)LINUX_IPV4_DEVCONF_ROUTE_LOCALNET == (int)IPV4_DEVCONF_ROUTE_LOCALNET, "ip.h");

int linux_setns(int descriptor, int type) { return setns(descriptor, type); }

int linux_unshare(int flags) { return unshare(flags); }

int linux_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return mount(source, target, type, flags, data);
}

int linux_umount(const char *target, int flags) { return umount2(target, flags); }

long linux_filesystem_type(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 ? (long)status.f_type : -1;
}

int linux_syncfs(int descriptor) { return syncfs(descriptor); }

int linux_openat2(int directory, const char *path, int flags, unsigned int mode, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned int)flags, .mode = mode, .resolve = resolve};
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int linux_peer_credentials(int socket, struct linux_peer *peer) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    *peer = (struct linux_peer){.pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid};
    return 0;
}

ssize_t linux_receive_descriptor(int socket, void *buffer, size_t size, int *descriptor) {
    union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
    struct iovec piece = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *descriptor = -1;
    ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(descriptor, CMSG_DATA(header), sizeof(int));
    }
    return count;
}

int linux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int linux_set_window_size(int terminal, uint16_t columns, uint16_t rows) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(terminal, TIOCSWINSZ, &size);
}

int linux_filter_sockets_without_peer(int socket) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NLMSG_HDRLEN + offsetof(struct inet_diag_msg, id.idiag_dport)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void linux_give_back_memory(void) { malloc_trim(0); }

static void *give_back_now_and_then(void *nothing) {
    for (;;) {
        sleep(5);
        // A little is kept: to ask the system for it anew is what costs.
        if (mallinfo2().fordblks > 4 << 20) malloc_trim(0);
    }
    return nothing;
}

void linux_keep_little_memory(void) {
    mallopt(M_ARENA_MAX, 2);
    // Naming them turns off that glibc raises them by itself. Smaller ones make every transaction of nftables map its buffers anew.
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    // Without it more memory is kept, nothing else.
    (void)pthread_create(&thread, &attributes, give_back_now_and_then, NULL);
    pthread_attr_destroy(&attributes);
}
