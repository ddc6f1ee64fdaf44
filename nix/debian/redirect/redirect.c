// Leads a Debian program to its own files.
//
// A program made for /usr finds nothing there in an image that lacks the package. This library stands between such a program and the C library:
// a path below /usr, /lib or /etc leads into the tree that the program came with, TREE/usr/lib/kiln/redirect.so being this library's own place.
// It is named in the program itself (DT_NEEDED), so nothing reaches a child that did not come from such a tree.
//
// What the image may have its own word on (/etc, programs, certificates) is looked for there first; libraries and data, whose version must be the
// program's, in the tree first. A path that neither has goes on as it was.
//
// Built without the C library's headers and start files, so that it asks for no version of any symbol and works with every glibc of a tree.

typedef unsigned long size_t;
typedef unsigned int mode_t;

struct location {
    const char *file;
    void *base;
    const char *symbol;
    void *address;
};

extern int dladdr(const void *, struct location *);
extern void *dlsym(void *, const char *);
extern size_t strlen(const char *);
extern int strncmp(const char *, const char *, size_t);
extern void *memcpy(void *, const void *, size_t);
extern char *getenv(const char *);
extern int setenv(const char *, const char *, int);
extern int unsetenv(const char *);

#define NEXT ((void *)-1L)
#define PUBLIC __attribute__((visibility("default")))
#define TAIL __attribute__((musttail))
#define PATH_LIMIT 4096

// The kernel is asked directly here: the functions that would do it are those that this library replaces.
#if defined(__x86_64__)
#define NUMBER_FACCESSAT 269
static long ask(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
#define NUMBER_FACCESSAT 48
static long ask(long number, long a, long b, long c, long d) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#endif

static char tree[PATH_LIMIT];
static size_t tree_length;
static int is_ready;

// Any function below may be called before constructors run, so each finds the tree by itself.
__attribute__((constructor)) static void find_tree(void) {
    static const char own[] = "/usr/lib/kiln/redirect.so";
    struct location location;
    size_t length;
    if (is_ready) return;
    if (dladdr((void *)&find_tree, &location) && location.file) {
        length = strlen(location.file);
        if (length >= sizeof own && length < PATH_LIMIT && !strncmp(location.file + length - (sizeof own - 1), own, sizeof own)) {
            tree_length = length - (sizeof own - 1);
            memcpy(tree, location.file, tree_length);
            tree[tree_length] = 0;
        }
    }
    is_ready = 1;
}

static int exists(const char *path) { return ask(NUMBER_FACCESSAT, -100, (long)path, 0, 0) == 0; }

static int is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || path[length] == 0);
}

enum place { ELSEWHERE, TREE_FIRST, IMAGE_FIRST };

static enum place place_of(const char *path) {
    if (path[0] != '/') return ELSEWHERE;
    if (is_below(path, "/usr")) {
        if (path[4] == 0 || is_below(path, "/usr/local")) return ELSEWHERE;
        if (is_below(path, "/usr/bin") || is_below(path, "/usr/sbin") || is_below(path, "/usr/lib/ssl")) return IMAGE_FIRST;
        return TREE_FIRST;
    }
    if (is_below(path, "/lib") || is_below(path, "/lib64")) return path[4] ? TREE_FIRST : ELSEWHERE;
    if (is_below(path, "/etc")) return path[4] ? IMAGE_FIRST : ELSEWHERE;
    if (is_below(path, "/bin") || is_below(path, "/sbin")) return IMAGE_FIRST;
    return ELSEWHERE;
}

// The path to use instead, in `buffer` or as it was.
static const char *redirected(const char *path, char *buffer) {
    enum place place;
    size_t length;
    if (!path || (place = place_of(path)) == ELSEWHERE) return path;
    find_tree();
    if (!tree_length || (place == IMAGE_FIRST && exists(path))) return path;
    length = strlen(path);
    if (tree_length + length >= PATH_LIMIT) return path;
    memcpy(buffer, tree, tree_length);
    memcpy(buffer + tree_length, path, length + 1);
    return exists(buffer) ? buffer : path;
}

// FORWARD(type, name, (parameters), (arguments with `path` redirected)).
#define FORWARD(type, name, parameters, arguments)                                                                                            \
    PUBLIC type name parameters {                                                                                                             \
        static type(*next) parameters;                                                                                                        \
        char buffer[PATH_LIMIT];                                                                                                              \
        if (!next) next = (type(*) parameters)dlsym(NEXT, #name);                                                                             \
        path = redirected(path, buffer);                                                                                                      \
        return next arguments;                                                                                                                \
    }

// The mode is passed on whether the caller gave one or not: both processors that this is built for pass it in a register.
FORWARD(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))
FORWARD(int, open64, (const char *path, int flags, mode_t mode), (path, flags, mode))
FORWARD(int, __open_2, (const char *path, int flags), (path, flags))
FORWARD(int, __open64_2, (const char *path, int flags), (path, flags))
FORWARD(int, openat, (int folder, const char *path, int flags, mode_t mode), (folder, path, flags, mode))
FORWARD(int, openat64, (int folder, const char *path, int flags, mode_t mode), (folder, path, flags, mode))
FORWARD(int, __openat_2, (int folder, const char *path, int flags), (folder, path, flags))
FORWARD(int, __openat64_2, (int folder, const char *path, int flags), (folder, path, flags))
FORWARD(void *, fopen, (const char *path, const char *mode), (path, mode))
FORWARD(void *, fopen64, (const char *path, const char *mode), (path, mode))
FORWARD(void *, freopen, (const char *path, const char *mode, void *file), (path, mode, file))
FORWARD(void *, freopen64, (const char *path, const char *mode, void *file), (path, mode, file))
FORWARD(int, stat, (const char *path, void *status), (path, status))
FORWARD(int, stat64, (const char *path, void *status), (path, status))
FORWARD(int, lstat, (const char *path, void *status), (path, status))
FORWARD(int, lstat64, (const char *path, void *status), (path, status))
FORWARD(int, __xstat, (int version, const char *path, void *status), (version, path, status))
FORWARD(int, __xstat64, (int version, const char *path, void *status), (version, path, status))
FORWARD(int, __lxstat, (int version, const char *path, void *status), (version, path, status))
FORWARD(int, __lxstat64, (int version, const char *path, void *status), (version, path, status))
FORWARD(int, fstatat, (int folder, const char *path, void *status, int flags), (folder, path, status, flags))
FORWARD(int, fstatat64, (int folder, const char *path, void *status, int flags), (folder, path, status, flags))
FORWARD(int, statx, (int folder, const char *path, int flags, unsigned mask, void *status), (folder, path, flags, mask, status))
FORWARD(int, access, (const char *path, int mode), (path, mode))
FORWARD(int, faccessat, (int folder, const char *path, int mode, int flags), (folder, path, mode, flags))
FORWARD(int, euidaccess, (const char *path, int mode), (path, mode))
FORWARD(int, eaccess, (const char *path, int mode), (path, mode))
FORWARD(void *, opendir, (const char *path), (path))
FORWARD(int, chdir, (const char *path), (path))
FORWARD(int, scandir, (const char *path, void *list, void *filter, void *compare), (path, list, filter, compare))
FORWARD(int, scandir64, (const char *path, void *list, void *filter, void *compare), (path, list, filter, compare))
FORWARD(long, readlink, (const char *path, char *result, size_t size), (path, result, size))
FORWARD(long, readlinkat, (int folder, const char *path, char *result, size_t size), (folder, path, result, size))
FORWARD(long, __readlink_chk, (const char *path, char *result, size_t size, size_t room), (path, result, size, room))
FORWARD(char *, realpath, (const char *path, char *result), (path, result))
FORWARD(char *, __realpath_chk, (const char *path, char *result, size_t room), (path, result, room))
FORWARD(char *, canonicalize_file_name, (const char *path), (path))
FORWARD(int, execve, (const char *path, char *const *arguments, char *const *environment), (path, arguments, environment))
FORWARD(int, execv, (const char *path, char *const *arguments), (path, arguments))
FORWARD(int, execvp, (const char *path, char *const *arguments), (path, arguments))
FORWARD(int, execvpe, (const char *path, char *const *arguments, char *const *environment), (path, arguments, environment))
FORWARD(int, posix_spawn, (int *child, const char *path, const void *actions, const void *attributes, char *const *arguments,
        char *const *environment), (child, path, actions, attributes, arguments, environment))
FORWARD(int, posix_spawnp, (int *child, const char *path, const void *actions, const void *attributes, char *const *arguments,
        char *const *environment), (child, path, actions, attributes, arguments, environment))
FORWARD(long, listxattr, (const char *path, char *list, size_t size), (path, list, size))
FORWARD(long, llistxattr, (const char *path, char *list, size_t size), (path, list, size))
FORWARD(long, getxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
FORWARD(long, lgetxattr, (const char *path, const char *name, void *value, size_t size), (path, name, value, size))
FORWARD(int, statfs, (const char *path, void *status), (path, status))
FORWARD(int, statfs64, (const char *path, void *status), (path, status))
FORWARD(int, statvfs, (const char *path, void *status), (path, status))
FORWARD(int, statvfs64, (const char *path, void *status), (path, status))
FORWARD(char *, bindtextdomain, (const char *domain, const char *path), (domain, path))

// The loader looks at who calls to know whose search path holds, so the caller's place must still stand on the stack: a jump, not a call.
static void *(*next_dlopen)(const char *, int);
static void *dlopen_redirected(const char *path, int flags) {
    char buffer[PATH_LIMIT];
    return next_dlopen(redirected(path, buffer), flags);
}
PUBLIC void *dlopen(const char *path, int flags) {
    if (!next_dlopen) next_dlopen = (void *(*)(const char *, int))dlsym(NEXT, "dlopen");
    if (path && place_of(path) != ELSEWHERE) TAIL return dlopen_redirected(path, flags);
    TAIL return next_dlopen(path, flags);
}

// Some runtimes (libuv) bring their own numbers of system calls.
#if defined(__x86_64__)
static int path_argument(long number) {
    switch (number) {
    case 2: case 4: case 6: case 21: case 59: case 89: return 1;          // open, stat, lstat, access, execve, readlink
    case 257: case 262: case 267: case 269: case 332: case 437: case 439: return 2;  // openat, newfstatat, readlinkat, faccessat, statx, openat2, faccessat2
    default: return 0;
    }
}
#else
static int path_argument(long number) {
    switch (number) {
    case 221: return 1;                                                   // execve
    case 48: case 56: case 78: case 79: case 291: case 437: case 439: return 2;  // faccessat, openat, readlinkat, newfstatat, statx, openat2, faccessat2
    default: return 0;
    }
}
#endif
PUBLIC long syscall(long number, long a, long b, long c, long d, long e, long f) {
    static long (*next)(long, long, long, long, long, long, long);
    char buffer[PATH_LIMIT];
    if (!next) next = (long (*)(long, long, long, long, long, long, long))dlsym(NEXT, "syscall");
    switch (path_argument(number)) {
    case 1: a = (long)redirected((const char *)a, buffer); break;
    case 2: b = (long)redirected((const char *)b, buffer); break;
    }
    return next(number, a, b, c, d, e, f);
}

// The C library opens its own data without asking anybody, and looks into these variables first. They are set for the length of one call, so
// that no child sees them, and only after the image's own data did not serve.
static int lend(const char *variable, const char *folder, char *buffer) {
    find_tree();
    if (!tree_length || getenv(variable) || tree_length + strlen(folder) >= PATH_LIMIT) return 0;
    memcpy(buffer, tree, tree_length);
    memcpy(buffer + tree_length, folder, strlen(folder) + 1);
    return exists(buffer) && setenv(variable, buffer, 1) == 0;
}

PUBLIC char *setlocale(int category, const char *locale) {
    static char *(*next)(int, const char *);
    char buffer[PATH_LIMIT], *result;
    if (!next) next = (char *(*)(int, const char *))dlsym(NEXT, "setlocale");
    result = next(category, locale);
    if (result || !lend("LOCPATH", "/usr/lib/locale", buffer)) return result;
    result = next(category, locale);
    unsetenv("LOCPATH");
    return result;
}

PUBLIC void *newlocale(int mask, const char *locale, void *base) {
    static void *(*next)(int, const char *, void *);
    char buffer[PATH_LIMIT];
    void *result;
    if (!next) next = (void *(*)(int, const char *, void *))dlsym(NEXT, "newlocale");
    result = next(mask, locale, base);
    if (result || !lend("LOCPATH", "/usr/lib/locale", buffer)) return result;
    result = next(mask, locale, base);
    unsetenv("LOCPATH");
    return result;
}

// Converters are looked up once, at the first call.
PUBLIC void *iconv_open(const char *to, const char *from) {
    static void *(*next)(const char *, const char *);
    char buffer[PATH_LIMIT];
    void *result;
    int lent;
    if (next) return next(to, from);
    next = (void *(*)(const char *, const char *))dlsym(NEXT, "iconv_open");
#if defined(__x86_64__)
    lent = lend("GCONV_PATH", "/usr/lib/x86_64-linux-gnu/gconv", buffer);
#else
    lent = lend("GCONV_PATH", "/usr/lib/aarch64-linux-gnu/gconv", buffer);
#endif
    result = next(to, from);
    if (lent) unsetenv("GCONV_PATH");
    return result;
}
