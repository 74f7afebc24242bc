/*
 * First code of the single executable (Linux, x86-64).
 *
 * A dynamic program whose interpreter is missing never starts: the kernel answers ENOENT and the shell prints
 * "millrace: not found", which tells nobody that Alpine, busybox and scratch images lack glibc. So the executable
 * carries no PT_INTERP for the kernel; it starts here. This code loads the interpreter as the kernel would have done
 * and continues in it, or says what is missing.
 *
 * The interpreter finds the program through the auxiliary vector, so it gets there what the kernel would have given:
 * its own base, the program's real entry, and the program headers with PT_INTERP (the copy in `parameters`).
 *
 * A loader that was given the program as its argument (ld.so ./millrace, gcompat) has linked it already when it jumps
 * here; it has filled DT_DEBUG, and there is nothing left to do but to continue.
 *
 * Freestanding and position independent: one section, no relocations, no writable data (start-check.ld).
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

struct elf_header {
  u8 ident[16];
  u16 type, machine;
  u32 version;
  u64 entry, phoff, shoff;
  u32 flags;
  u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
  u32 type, flags;
  u64 offset, vaddr, paddr, filesz, memsz, align;
};

struct file_status {
  u64 device, inode;
  u8 rest[128];
};

struct pair {
  u64 tag, value;
};

/* Written by the build behind the code. */
struct parameters {
  u64 entry;
  u64 count;
  struct program_header headers[];
};

extern const struct parameters parameters __attribute__((visibility("hidden")));

enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3 };
enum { AT_PHDR = 3, AT_PHNUM = 5, AT_BASE = 7, AT_ENTRY = 9 };
enum { DT_DEBUG = 21, ET_DYN = 3, EM_X86_64 = 62 };
enum { SYS_WRITE = 1, SYS_CLOSE = 3, SYS_FSTAT = 5, SYS_MMAP = 9, SYS_PREAD64 = 17 };
enum { SYS_EXIT_GROUP = 231, SYS_OPENAT = 257 };
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_PRIVATE = 2, MAP_FIXED = 16, MAP_ANONYMOUS = 32, MAP_NORESERVE = 0x4000 };
enum { AT_FDCWD = -100, O_CLOEXEC = 02000000, EACCES = 13, ENOENT = 2, ENOTDIR = 20 };
enum { PF_EXEC = 1, PF_WRITE = 2, PF_READ = 4 };
enum { PAGE = 4096, MAX_HEADERS = 32, NOT_FOUND = 127 };

__asm__(".section .text.start,\"ax\",@progbits\n"
        "start:\n"
        "  mov %rdx, %r12\n" /* what a loader wants called at exit */
        "  mov %rsp, %rbx\n"
        "  mov %rsp, %rdi\n"
        "  and $-16, %rsp\n"
        "  call next_entry\n"
        "  mov %rbx, %rsp\n"
        "  mov %r12, %rdx\n"
        "  xor %ebx, %ebx\n"
        "  xor %r12d, %r12d\n"
        "  jmp *%rax\n"
        ".text\n");

static s64 system_call(s64 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register u64 r10 __asm__("r10") = d;
  register u64 r8 __asm__("r8") = e;
  register u64 r9 __asm__("r9") = f;
  s64 result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static void say(const char *text) {
  u64 length = 0;
  while (text[length] != 0) length++;
  system_call(SYS_WRITE, 2, (u64)text, length, 0, 0, 0);
}

static void __attribute__((noreturn)) leave(void) {
  for (;;) system_call(SYS_EXIT_GROUP, NOT_FOUND, 0, 0, 0, 0, 0);
}

static void __attribute__((noreturn)) give_up_without_glibc(const char *path, const char *what) {
  say("millrace: this program needs the GNU C library (glibc), and this system has none: ");
  say(path);
  say(what);
  say("Use a system or image with glibc (Debian, Ubuntu, Red Hat, SUSE and others), "
      "or run the npm package millrace with this system's own Node.js 24.\n");
  leave();
}

static void __attribute__((noreturn)) give_up_unusable(const char *path, const char *why) {
  say("millrace: the program loader ");
  say(path);
  say(why);
  leave();
}

static u64 page_floor(u64 address) { return address & -(u64)PAGE; }
static u64 page_ceiling(u64 address) { return page_floor(address + PAGE - 1); }
static int is_error(s64 result) { return result < 0 && result > -PAGE; }

static const struct program_header *find_header(u32 type) {
  for (u64 i = 0; i < parameters.count; i++)
    if (parameters.headers[i].type == type) return &parameters.headers[i];
  return 0;
}

static int is_linked(void) {
  const struct pair *entry = (const struct pair *)find_header(PT_DYNAMIC)->vaddr;
  while (entry->tag != 0 && entry->tag != DT_DEBUG) entry++;
  return entry->tag == DT_DEBUG && entry->value != 0;
}

static int open_interpreter(const char *path) {
  s64 fd = system_call(SYS_OPENAT, AT_FDCWD, (u64)path, O_CLOEXEC, 0, 0, 0);
  if (fd == -ENOENT || fd == -ENOTDIR) give_up_without_glibc(path, " is missing.\n");
  if (fd == -EACCES) give_up_unusable(path, " cannot be opened: permission denied.\n");
  if (is_error(fd)) give_up_unusable(path, " cannot be opened.\n");
  return (int)fd;
}

/* Alpine's libc6-compat gives musl glibc's name. musl would then list hundreds of symbols it does not have. */
static int is_musl(int fd) {
  struct file_status file, musl;
  s64 musl_fd = system_call(SYS_OPENAT, AT_FDCWD, (u64) "/lib/ld-musl-x86_64.so.1", O_CLOEXEC, 0, 0, 0);
  if (is_error(musl_fd)) return 0;
  s64 failed = system_call(SYS_FSTAT, fd, (u64)&file, 0, 0, 0, 0) | system_call(SYS_FSTAT, musl_fd, (u64)&musl, 0, 0, 0, 0);
  system_call(SYS_CLOSE, musl_fd, 0, 0, 0, 0, 0);
  return failed == 0 && file.device == musl.device && file.inode == musl.inode;
}

static int read_at(int fd, void *to, u64 size, u64 offset) {
  return system_call(SYS_PREAD64, fd, (u64)to, size, offset, 0, 0) == (s64)size;
}

static int map(u64 address, u64 size, u64 protection, u64 flags, s64 fd, u64 offset) {
  return !is_error(system_call(SYS_MMAP, address, size, protection, MAP_PRIVATE | MAP_FIXED | flags, fd, offset));
}

static int map_segment(int fd, const struct program_header *segment, u64 bias) {
  u64 start = page_floor(bias + segment->vaddr);
  u64 file_end = bias + segment->vaddr + segment->filesz;
  u64 end = bias + segment->vaddr + segment->memsz;
  u64 protection = (segment->flags & PF_READ ? PROT_READ : 0) | (segment->flags & PF_WRITE ? PROT_WRITE : 0) |
                   (segment->flags & PF_EXEC ? PROT_EXEC : 0);
  u64 mapped = start;
  if (segment->filesz != 0) {
    mapped = page_ceiling(file_end);
    if (!map(start, mapped - start, protection, 0, fd, page_floor(segment->offset))) return 0;
    if (segment->memsz > segment->filesz && (segment->flags & PF_WRITE))
      for (volatile u8 *byte = (u8 *)file_end; (u64)byte < mapped; byte++) *byte = 0;
  }
  if (page_ceiling(end) <= mapped) return 1;
  return map(mapped, page_ceiling(end) - mapped, protection, MAP_ANONYMOUS, -1, 0);
}

/* Returns the difference between the interpreter's addresses in memory and in its file; 0 where it cannot be mapped. */
static u64 map_interpreter(int fd, const struct program_header *headers, u64 count) {
  u64 low = -(u64)1, high = 0;
  for (u64 i = 0; i < count; i++) {
    if (headers[i].type != PT_LOAD) continue;
    u64 start = page_floor(headers[i].vaddr), end = page_ceiling(headers[i].vaddr + headers[i].memsz);
    if (start < low) low = start;
    if (end > high) high = end;
  }
  if (high <= low) return 0;
  s64 base = system_call(SYS_MMAP, 0, high - low, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (is_error(base)) return 0;
  for (u64 i = 0; i < count; i++)
    if (headers[i].type == PT_LOAD && !map_segment(fd, &headers[i], base - low)) return 0;
  return base - low;
}

static void tell_interpreter(struct pair *auxiliary, u64 base) {
  for (; auxiliary->tag != 0; auxiliary++) {
    if (auxiliary->tag == AT_BASE) auxiliary->value = base;
    if (auxiliary->tag == AT_ENTRY) auxiliary->value = parameters.entry;
    if (auxiliary->tag == AT_PHDR) auxiliary->value = (u64)parameters.headers;
    if (auxiliary->tag == AT_PHNUM) auxiliary->value = parameters.count;
  }
}

static struct pair *auxiliary_vector(u64 *stack) {
  u64 *word = stack + 1 + stack[0] + 1;
  while (*word != 0) word++;
  return (struct pair *)(word + 1);
}

/* Takes the stack as the kernel made it; returns the address to continue at. */
__attribute__((used)) static u64 next_entry(u64 *stack) {
  if (is_linked()) return parameters.entry;
  const char *path = (const char *)find_header(PT_INTERP)->vaddr;
  int fd = open_interpreter(path);
  if (is_musl(fd)) give_up_without_glibc(path, " is musl.\n");
  struct elf_header file;
  struct program_header headers[MAX_HEADERS];
  if (!read_at(fd, &file, sizeof file, 0) || *(u32 *)file.ident != 0x464c457f || file.ident[4] != 2 ||
      file.type != ET_DYN || file.machine != EM_X86_64 || file.phentsize != sizeof headers[0] ||
      file.phnum > MAX_HEADERS || !read_at(fd, headers, file.phnum * sizeof headers[0], file.phoff))
    give_up_unusable(path, " is not one for this processor.\n");
  u64 base = map_interpreter(fd, headers, file.phnum);
  if (base == 0) give_up_unusable(path, " does not fit into memory.\n");
  system_call(SYS_CLOSE, fd, 0, 0, 0, 0, 0);
  tell_interpreter(auxiliary_vector(stack), base);
  return base + file.entry;
}
