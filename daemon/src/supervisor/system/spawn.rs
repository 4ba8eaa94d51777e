//! Starting a program without a copy of the supervisor.
//!
//! A fork copies the page tables, and then every page that either side writes; for a program as small as `true` that is more
//! work than the program itself. Here the child borrows the supervisor's memory until it executes (what `vfork` and
//! `posix_spawn` do), inside its cgroup from birth (what those can't). The supervisor stands still meanwhile, so everything
//! is laid out before, and the child only makes system calls.

use std::arch::asm;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

/// What the child may use of a stack until it executes.
const STACK: usize = 64 << 10;
/// What runs a file that the system doesn't take for a program, as a shell has it.
const SHELL: &CStr = c"/bin/sh";

/// A program, ready to be executed.
#[derive(Debug)]
pub(crate) struct Image {
    /// The files that it may be, in the order in which they are tried.
    files: Vec<CString>,
    /// Its name and arguments.
    arguments: Vec<CString>,
    environment: Vec<CString>,
    cwd: CString,
}

impl Image {
    /// Lays out a program that is looked for in the `PATH` of `environment` unless its name has a slash.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`]: a NUL byte.
    pub(crate) fn new<'a>(
        program: &'a OsStr,
        arguments: impl Iterator<Item = &'a OsStr>,
        environment: impl Iterator<Item = (&'a OsStr, &'a OsStr)>,
        cwd: &Path,
    ) -> io::Result<Self> {
        let mut folders = None;
        let mut variables = Vec::new();
        for (name, value) in environment {
            if name == "PATH" {
                folders = Some(value);
            }
            variables.push(string(&[name.as_bytes(), b"=", value.as_bytes()].concat())?);
        }
        let files = if program.as_bytes().contains(&b'/') {
            vec![string(program.as_bytes())?]
        } else {
            let file = |folder: std::path::PathBuf| string(folder.join(program).as_os_str().as_bytes());
            std::env::split_paths(folders.unwrap_or(OsStr::new("/bin:/usr/bin")))
                .map(file)
                .collect::<Result<_, _>>()?
        };
        let arguments = std::iter::once(program)
            .chain(arguments)
            .map(|it| string(it.as_bytes()))
            .collect::<Result<_, _>>()?;
        Ok(Self { files, arguments, environment: variables, cwd: string(cwd.as_os_str().as_bytes())? })
    }
}

fn string(bytes: &[u8]) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn pointers<'a>(strings: impl Iterator<Item = &'a CStr>) -> Vec<*const c_char> {
    strings.map(CStr::as_ptr).chain([ptr::null()]).collect()
}

/// Executes `image` in a child with these standard streams, in a cgroup if one is given; `before` runs in the child and may
/// only make system calls. Answers the process id when the program runs, or why it can't.
pub(crate) fn spawn<F>(
    image: &Image,
    streams: [BorrowedFd<'_>; 3],
    cgroup: Option<BorrowedFd<'_>>,
    before: F,
) -> io::Result<u32>
where
    F: Fn() -> io::Result<()>,
{
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    let by_shell = [SHELL, SHELL].into_iter().chain(image.arguments.iter().skip(1).map(CString::as_c_str));
    let mut child = Child {
        files: pointers(image.files.iter().map(CString::as_c_str)),
        arguments: pointers(image.arguments.iter().map(CString::as_c_str)),
        by_shell: pointers(by_shell),
        environment: pointers(image.environment.iter().map(CString::as_c_str)),
        cwd: image.cwd.as_ptr(),
        streams: streams.map(|stream| stream.as_raw_fd()),
        before,
        error: 0,
    };
    let mut stack = Vec::<MaybeUninit<u128>>::with_capacity(STACK / size_of::<u128>());
    // SAFETY: `clone_args` is plain numbers, for which zero bytes are valid.
    let mut about: libc::clone_args = unsafe { std::mem::zeroed() };
    about.flags = u64::from((libc::CLONE_VM | libc::CLONE_VFORK).cast_unsigned());
    about.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
    about.stack = stack.as_mut_ptr() as u64;
    about.stack_size = STACK as u64;
    if let Some(cgroup) = cgroup {
        about.flags |= CLONE_INTO_CGROUP;
        about.cgroup = u64::from(cgroup.as_raw_fd().cast_unsigned());
    }
    // A handler of the supervisor's must not run in the child, which has its memory.
    let mask = Mask::block_all();
    let pid: i64;
    // SAFETY: the child runs `Child::main` on a stack of its own, which no return leaves; this thread, the only one, goes on
    // when the child has executed or ended (CLONE_VFORK), so nothing that is borrowed here changes or goes meanwhile. The kernel
    // keeps every register but rax, rcx and r11.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r8",
            "call r9",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 => pid,
            in("rdi") &raw mut about,
            in("rsi") size_of::<libc::clone_args>(),
            in("r8") &raw mut child,
            in("r9") Child::<F>::main as extern "C" fn(*mut c_void) -> !,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    drop(mask);
    drop(stack);
    if pid < 0 {
        return Err(io::Error::from_raw_os_error(i32::try_from(-pid).unwrap_or(libc::EINVAL)));
    }
    // SAFETY: the child wrote it through the pointer that it was given.
    match unsafe { ptr::read_volatile(&raw const child.error) } {
        // The child that could not execute is reaped like every other.
        0 => u32::try_from(pid).map_err(|_| io::ErrorKind::InvalidData.into()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// What the child needs.
struct Child<F> {
    files: Vec<*const c_char>,
    arguments: Vec<*const c_char>,
    by_shell: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    cwd: *const c_char,
    streams: [c_int; 3],
    before: F,
    /// Why it could not execute; 0 if it could.
    error: c_int,
}

impl<F: Fn() -> io::Result<()>> Child<F> {
    extern "C" fn main(this: *mut c_void) -> ! {
        // SAFETY: `spawn` gives a `Child<F>` that outlives this child's use of it.
        let this = unsafe { &mut *this.cast::<Self>() };
        this.error = this.execute();
        // SAFETY: ends the child without running anything that belongs to the parent.
        unsafe { libc::_exit(127) }
    }

    /// Returns only with an error.
    fn execute(&mut self) -> c_int {
        let failed = || io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL);
        for (target, stream) in (0..).zip(self.streams) {
            // SAFETY: a system call.
            if unsafe { libc::dup2(stream, target) } < 0 {
                return failed();
            }
        }
        if let Err(error) = (self.before)() {
            return error.raw_os_error().unwrap_or(libc::EINVAL);
        }
        // SAFETY: a system call with a string that ends.
        if unsafe { libc::chdir(self.cwd) } < 0 {
            return failed();
        }
        Mask::clear();
        let mut refused = None;
        for file in self.files.iter().copied().filter(|file| !file.is_null()) {
            // SAFETY: strings and lists that end, all of which outlive the call.
            unsafe { libc::execve(file, self.arguments.as_ptr(), self.environment.as_ptr()) };
            match failed() {
                libc::ENOEXEC => {
                    self.by_shell[1] = file;
                    // SAFETY: as above.
                    unsafe {
                        libc::execve(SHELL.as_ptr(), self.by_shell.as_ptr(), self.environment.as_ptr())
                    };
                    return libc::ENOEXEC;
                }
                // A file further on may do.
                libc::EACCES => refused = Some(libc::EACCES),
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => {}
                other => return other,
            }
        }
        refused.unwrap_or(libc::ENOENT)
    }
}

/// The signals that this thread had blocked; they are so again when it goes.
struct Mask(libc::sigset_t);

impl Mask {
    fn block_all() -> Self {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both are written before they are read; the calls can't fail with these arguments.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self(before.assume_init())
        }
    }

    fn clear() {
        let mut none = MaybeUninit::uninit();
        // SAFETY: written before it is read.
        unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
        }
    }
}

impl Drop for Mask {
    fn drop(&mut self) {
        // SAFETY: the mask that the system gave.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}
