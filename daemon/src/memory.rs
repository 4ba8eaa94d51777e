//! Memory that was freed goes back to the system.
#![allow(unsafe_code)]

/// Returns freed memory to the system, where the allocator keeps it: glibc does, after a long queue hundreds of megabytes.
pub(crate) fn release() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        // SAFETY: it takes no pointer, may be called from any thread at any time, and touches only what is free.
        unsafe { libc::malloc_trim(0) };
    }
}
