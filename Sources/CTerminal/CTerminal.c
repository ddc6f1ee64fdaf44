#define _GNU_SOURCE
#include "CTerminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

/* ---- processes ---- */

/* Between vfork and exec: only system calls, nothing that touches the parent's state. */
static int become(const int descriptors[3], const struct kiln_surroundings *surroundings) {
    for (int i = 0; i < 3; i++)
        if (dup2(descriptors[i], i) < 0) return errno;
    if (setsid() < 0) return errno;
    if (surroundings && surroundings->network) {
        int network = open(surroundings->network, O_RDONLY | O_CLOEXEC);
        if (network < 0 || setns(network, CLONE_NEWNET) < 0) return errno;
        close(network);
    }
    if (surroundings && surroundings->resolver) {
        if (unshare(CLONE_NEWNS) < 0) return errno;
        /* Mounts the program makes stay its own; mounts of the host still arrive. */
        if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0) return errno;
        if (mount(surroundings->resolver, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0) return errno;
    }
    if (chdir(surroundings && surroundings->directory ? surroundings->directory : "/") < 0) return errno;
    if (syscall(SYS_close_range, 3u, ~0u, 0u) < 0) return errno;
    return 0;
}

pid_t kiln_spawn(const char *path, char *const arguments[], char *const environment[], const int descriptors[3],
                 const struct kiln_surroundings *surroundings, int *pidfd) {
    /* Kept clear of 0 to 2, so that no dup2 overwrites a source. */
    int sources[3];
    for (int i = 0; i < 3; i++) {
        sources[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 3);
        if (sources[i] < 0) {
            int error = errno;
            while (i-- > 0) close(sources[i]);
            return -error;
        }
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    volatile int failure = 0;
    pid_t child = vfork();
    if (child == 0) {
        for (int signal = 1; signal < NSIG; signal++) {
            struct sigaction action = {.sa_handler = SIG_DFL};
            sigaction(signal, &action, NULL);
        }
        failure = become(sources, surroundings);
        if (failure == 0) {
            sigset_t none;
            sigemptyset(&none);
            sigprocmask(SIG_SETMASK, &none, NULL);
            execve(path, arguments, environment);
            failure = errno;
        }
        _exit(127);
    }
    int error = child < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (int i = 0; i < 3; i++) close(sources[i]);
    if (child < 0) return -error;
    if (failure == 0) {
        *pidfd = kiln_pidfd_open(child);
        if (*pidfd >= 0) return child;
        failure = -*pidfd;
        kill(child, SIGKILL);
    }
    waitpid(child, NULL, 0);
    return -failure;
}

int kiln_pidfd_open(pid_t process) { return result(syscall(SYS_pidfd_open, process, 0)); }

int kiln_pidfd_signal(int pidfd, int signal) { return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)); }

int kiln_pidfd_reap(int pidfd, int *status) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) return -errno;
    if (info.si_pid == 0) return 0;
    *status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return 1;
}

/* ---- descriptors ---- */

int kiln_receive_descriptor(int socket) {
    char byte[64];
    char control[CMSG_SPACE(sizeof(int) * 4)];
    struct iovec part = {.iov_base = byte, .iov_len = sizeof byte};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) return -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || header->cmsg_len < CMSG_LEN(sizeof(int)))
        return -EBADMSG;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

int kiln_peer_process(int socket) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    return peer.pid;
}

int kiln_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    /* Fewer wake-ups for bulk data. Refused beyond the user's share of pipe memory, which only costs speed. */
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 18);
    return 0;
}

int kiln_open_terminal(unsigned short columns, unsigned short rows, int ends[2]) {
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ends[0] < 0) return -errno;
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    if (unlockpt(ends[0]) == 0 && ioctl(ends[0], TIOCSWINSZ, &size) == 0) {
        ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (ends[1] >= 0) return 0;
    }
    int error = errno;
    close(ends[0]);
    return -error;
}

static uint64_t hard_limit(__rlimit_resource_t resource) {
    struct rlimit limit;
    return getrlimit(resource, &limit) < 0 || limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
}

uint64_t kiln_open_files_limit(void) { return hard_limit(RLIMIT_NOFILE); }

uint64_t kiln_processes_limit(void) { return hard_limit(RLIMIT_NPROC); }

int kiln_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -errno : result(fcntl(descriptor, F_SETFL, flags | O_NONBLOCK));
}

int kiln_readable_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -errno : count;
}

int kiln_set_terminal_size(int descriptor, unsigned short columns, unsigned short rows) {
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    return result(ioctl(descriptor, TIOCSWINSZ, &size));
}

int kiln_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int kiln_epoll_add(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = descriptor};
    return result(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
}

int kiln_epoll_remove(int epoll, int descriptor) { return result(epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL)); }

int kiln_epoll_ready(int epoll, int *descriptors, int count) {
    struct epoll_event events[8];
    int ready = epoll_wait(epoll, events, count < 8 ? count : 8, 0);
    for (int i = 0; i < ready; i++) descriptors[i] = events[i].data.fd;
    return result(ready);
}

/* ---- mounts ---- */

struct sysfs_request { const char *network, *target; int error; };

static void *mount_sysfs(void *argument) {
    struct sysfs_request *request = argument;
    int network = open(request->network, O_RDONLY | O_CLOEXEC);
    if (network < 0) { request->error = errno; return NULL; }
    if (setns(network, CLONE_NEWNET) < 0 ||
        mount("sysfs", request->target, "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        request->error = errno;
    close(network);
    return NULL;
}

int kiln_mount_sysfs(const char *network, const char *target) {
    struct sysfs_request request = {.network = network, .target = target};
    pthread_t thread;
    int error = pthread_create(&thread, NULL, mount_sysfs, &request);
    if (error) return -error;
    pthread_join(thread, NULL);
    return -request.error;
}

int kiln_mount_bind(const char *source, const char *target, int read_only, int no_exec) {
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    if (tree < 0) return -errno;
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0) | (no_exec ? MOUNT_ATTR_NOEXEC : 0),
        .propagation = MS_PRIVATE,
    };
    int error = 0;
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0 ||
        syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        error = errno;
    close(tree);
    return -error;
}

int kiln_mount_cgroup(const char *options, const char *target) {
    return result(mount("cgroup", target, "cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, options));
}

int kiln_unmount(const char *target) { return result(umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW)); }

int kiln_file_system_kind(const char *path) {
    struct statfs status;
    if (statfs(path, &status) < 0) return -errno;
    return status.f_type == CGROUP2_SUPER_MAGIC ? 1 : status.f_type == TMPFS_MAGIC ? 2 : 0;
}
