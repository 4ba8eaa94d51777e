//! A command that prints a secret, such as that of a password manager.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::values::MAX_VALUE_BYTES;

/// How long it may take: it may ask a person to unlock something.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest output, in bytes: a value and a newline.
const MAX_OUTPUT_BYTES: u64 = MAX_VALUE_BYTES as u64 + 2;

/// Runs a program with its arguments and returns its standard output without one newline at the end. It gets the daemon's
/// environment and no input; its standard error is dropped, since it could contain the secret.
///
/// # Errors
/// What went wrong, to follow the name of the program.
pub(super) async fn output(words: &[String]) -> Result<String, String> {
    let (program, arguments) = words.split_first().ok_or("is missing")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.process_group(0).kill_on_drop(true).current_dir("/");
    let mut child = command.spawn().map_err(|error| format!("can't be started: {error}"))?;
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    let stdout = child.stdout.take().ok_or("has no output")?;
    let mut bytes = Vec::new();
    let work = async {
        stdout.take(MAX_OUTPUT_BYTES + 1).read_to_end(&mut bytes).await?;
        // It may wait until somebody reads the rest.
        if bytes.len() as u64 > MAX_OUTPUT_BYTES { Ok(None) } else { child.wait().await.map(Some) }
    };
    let ended = tokio::time::timeout(TIMEOUT, work).await;
    let status = match ended {
        Ok(status) => status
            .map_err(|error| format!("can't be read: {error}"))?
            .ok_or_else(|| format!("printed more than {} KiB", MAX_VALUE_BYTES >> 10))?,
        Err(_) => {
            if let Some(group) = group {
                // What it started goes with it.
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            return Err(format!("took longer than {} s", TIMEOUT.as_secs()));
        }
    };
    if !status.success() {
        return Err(format!("failed ({status}); run it in a terminal to see why"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "printed something that is not UTF-8 text")?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(script: &str) -> Result<String, String> {
        output(&["sh", "-c", script].map(str::to_owned)).await
    }

    #[tokio::test]
    async fn its_output_is_the_value_without_one_newline() {
        assert_eq!(run("printf 'a\\n\\n'").await.as_deref(), Ok("a\n"));
        assert_eq!(run("printf 'a b'; echo noise >&2").await.as_deref(), Ok("a b"));
        assert!(
            run("head -c 100000 /dev/zero | tr '\\0' x")
                .await
                .is_err_and(|it| it.contains("more than 16 KiB"))
        );
    }

    #[tokio::test]
    async fn a_failure_shows_nothing_that_it_printed() {
        let error = run("echo s3cr3t-t0ken; echo s3cr3t-t0ken >&2; exit 3").await.unwrap_err();
        assert!(error.contains("exit status: 3") && !error.contains("s3cr3t"), "{error}");
        assert!(output(&["/no/such/program".to_owned()]).await.unwrap_err().contains("can't be started"));
        assert!(run("printf '\\377'").await.unwrap_err().contains("UTF-8"));
    }
}
