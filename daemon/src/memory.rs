//! Returns freed memory to the system.
#![allow(unsafe_code)]

/// Returns freed memory to the system if the allocator keeps it: glibc does, hundreds of megabytes after a long queue.
pub(crate) fn release() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it takes no pointer, may be called from any thread at any time, and only touches free memory.
        unsafe { libc::malloc_trim(0) };
    }
}
