// Compiled into the addon: keeps what tensors free for the next ones. By default glibc gives every large block back to the
// system and takes it again with page faults, which cost a training step an eighth of its CPU time.
#include <climits>
#ifdef __GLIBC__
#include <malloc.h>

__attribute__((constructor)) static void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, INT_MAX);
  mallopt(M_TRIM_THRESHOLD, -1);
}
#endif
