//! `fanlight daemon install` and `uninstall`: a service of the user that starts the daemon at login.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fanlight_shared::home::{ALREADY_RUNNING, Home};
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::embedded;
use crate::failure::Failure;
use crate::output::{self, Out};

/// The program that manages services.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manager {
    Systemd,
    Launchd,
}

/// A variable of the daemon, and its value.
type Variable = (&'static str, String);

/// The variables that move the folders of a home, with the usual folders below the user's own.
const XDG_FOLDERS: [(&str, &str); 3] =
    [("XDG_DATA_HOME", ".local/share"), ("XDG_STATE_HOME", ".local/state"), ("XDG_CONFIG_HOME", ".config")];

/// The service of a home.
#[derive(Debug)]
struct Service {
    manager: Manager,
    name: String,
    file: PathBuf,
    text: String,
}

/// Writes the service, and enables it. With `dry_run`, prints it.
pub(super) fn install(context: &Context, dry_run: bool) -> Result<(), Failure> {
    let service = Service::of(&context.home)?;
    if dry_run {
        let mut out = Out::new();
        out.line(&format!("# {}", service.shown()))?;
        service.text.lines().try_for_each(|line| out.line(line))?;
        return out.flush();
    }
    let same = std::fs::read_to_string(&service.file).is_ok_and(|text| text == service.text);
    if same {
        output::note(&format!("{} exists already; it was left as it is", service.shown()));
    } else {
        service
            .write()
            .map_err(|error| Failure::failed(format!("`{}` can't be written: {error}", service.shown())))?;
        output::note(&format!("wrote {}", service.shown()));
    }
    // Only one daemon runs for a home, so that a second one would end at once.
    let starts = !embedded::daemon_lives(&context.home);
    let commands = service.commands_of_install(starts);
    run_all(&commands, "the file of the service is there; type the command again once it can work")?;
    if starts {
        output::note(
            "the daemon starts now and whenever you log in; `fanlight daemon stop` stops it until then",
        );
    } else {
        output::note("a daemon runs already; the service starts one when you log in the next time");
    }
    if service.manager == Manager::Systemd {
        output::note(
            "hint: to start it with the machine, and to keep it when you log out: `loginctl enable-linger`",
        );
    }
    Ok(())
}

/// Disables the service, and removes its file.
pub(super) fn uninstall(context: &Context) -> Result<(), Failure> {
    let service = Service::of(&context.home)?;
    if !service.file.exists() {
        output::note(&format!("there is no {}; nothing was removed", service.shown()));
        return Ok(());
    }
    if service.is_loaded() {
        run_all(
            &service.commands_of_uninstall(),
            "nothing was removed; type the command again once it can work",
        )?;
    }
    std::fs::remove_file(&service.file)
        .map_err(|error| Failure::failed(format!("`{}` can't be removed: {error}", service.shown())))?;
    if service.manager == Manager::Systemd {
        let hint = "the file of the service was removed; systemd forgets it when it is started again";
        run_all(&[words(&["systemctl", "--user", "daemon-reload"])], hint)?;
    }
    output::note(&format!(
        "removed {}; a daemon that runs continues until `fanlight daemon stop`",
        service.shown()
    ));
    Ok(())
}

impl Service {
    fn of(home: &Home) -> Result<Self, Failure> {
        let exe = std::env::current_exe()
            .map_err(|error| Failure::failed(format!("this program can't find itself: {error}")))?;
        let manager = if cfg!(target_os = "macos") { Manager::Launchd } else { Manager::Systemd };
        Self::with(manager, home, &exe).map_err(Failure::usage)
    }

    fn with(manager: Manager, home: &Home, exe: &Path) -> Result<Self, String> {
        let one_line = |path: &Path| match path.to_str() {
            Some(text) if !text.contains(char::is_control) => Ok(text.to_owned()),
            _ => Err(format!(
                "the path `{}` can't be in the file of a service",
                path.to_string_lossy().escape_debug()
            )),
        };
        let exe = one_line(exe)?;
        let folder = |path: &str| {
            let user = std::env::var_os("HOME").filter(|it| !it.is_empty()).map(PathBuf::from);
            user.map(|user| user.join(path)).ok_or_else(|| "HOME is not set".to_owned())
        };
        let mut environment = match home.root() {
            Some(root) => vec![("FANLIGHT_HOME", one_line(root)?)],
            None => {
                let mut moved = Vec::new();
                for (variable, usual) in XDG_FOLDERS {
                    let set = std::env::var_os(variable).map(PathBuf::from).filter(|it| it.is_absolute());
                    if let Some(set) = set.filter(|set| folder(usual).ok().as_ref() != Some(set)) {
                        moved.push((variable, one_line(&set)?));
                    }
                }
                moved
            }
        };
        let suffix = suffix(&environment);
        environment.extend(path(std::env::var_os("PATH")));
        Ok(match manager {
            Manager::Systemd => {
                let config =
                    std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|it| it.is_absolute());
                let config = config.map_or_else(|| folder(".config"), Ok)?;
                let name = format!("fanlight{suffix}.service");
                let file = config.join("systemd/user").join(&name);
                Self { manager, name, file, text: unit(&exe, &environment) }
            }
            Manager::Launchd => {
                let name = format!("fanlight{suffix}");
                let file = folder("Library/LaunchAgents")?.join(format!("{name}.plist"));
                let text = plist(&name, &exe, &environment);
                Self { manager, name, file, text }
            }
        })
    }

    fn shown(&self) -> String {
        sanitise::line(&self.file.to_string_lossy())
    }

    /// Writes the file as a whole.
    fn write(&self) -> std::io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, self.text.as_bytes())?;
        file.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }

    fn commands_of_install(&self, starts: bool) -> Vec<Vec<String>> {
        match self.manager {
            Manager::Systemd => {
                let mut enable = words(&["systemctl", "--user", "enable", &self.name]);
                if starts {
                    enable.insert(3, "--now".to_owned());
                }
                vec![words(&["systemctl", "--user", "daemon-reload"]), enable]
            }
            Manager::Launchd if starts => {
                vec![words(&["launchctl", "load", "-w", &self.file.to_string_lossy()])]
            }
            // It loads the file by itself at the next login.
            Manager::Launchd => Vec::new(),
        }
    }

    /// Returns whether the manager knows the service, as far as it must for it to be removed.
    fn is_loaded(&self) -> bool {
        match self.manager {
            Manager::Systemd => true,
            Manager::Launchd => {
                let mut list = Command::new("launchctl");
                list.args(["list", &self.name])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null());
                list.status().is_ok_and(|status| status.success())
            }
        }
    }

    fn commands_of_uninstall(&self) -> Vec<Vec<String>> {
        match self.manager {
            Manager::Systemd => vec![words(&["systemctl", "--user", "disable", &self.name])],
            Manager::Launchd => vec![words(&["launchctl", "remove", &self.name])],
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Runs commands one after the other. A missing or failing one is reported with a hint that says what to type.
fn run_all(commands: &[Vec<String>], hint: &str) -> Result<(), Failure> {
    for command in commands {
        let Some((program, arguments)) = command.split_first() else { continue };
        let line = command.join(" ");
        let ended = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).output();
        let why = match ended {
            Ok(output) if output.status.success() => continue,
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
                sanitise::line(last)
            }
            Err(error) => error.to_string(),
        };
        return Err(Failure::failed(format!("`{line}` failed: {why}")).hint(hint));
    }
    Ok(())
}

/// Returns the PATH with which the service starts the daemon, which finds programs by it: a manager of services has a bare one.
/// Folders that a file can't name, or that are relative to one, are left out.
fn path(of_installer: Option<OsString>) -> Option<Variable> {
    let folders = std::env::split_paths(of_installer.as_ref()?).filter(|it| it.is_absolute());
    let folders = folders.filter_map(|it| it.to_str().map(str::to_owned));
    let folders: Vec<String> = folders.filter(|it| !it.contains(char::is_control)).collect();
    (!folders.is_empty()).then(|| ("PATH", folders.join(":")))
}

/// Returns the end of the name of a service: homes other than the user's own have one each.
fn suffix(environment: &[Variable]) -> String {
    let home = match environment {
        [] => return String::new(),
        [("FANLIGHT_HOME", root)] => root.clone(),
        folders => folders.iter().map(|(name, value)| format!("{name}={value}\n")).collect(),
    };
    let hash = fanlight_shared::id::BlobHash::of(home.as_bytes()).to_string();
    format!("-{}", hash.chars().take(8).collect::<String>())
}

/// Returns the unit of systemd.
fn unit(exe: &str, environment: &[Variable]) -> String {
    let line = |(name, value): &Variable| format!("Environment={}\n", quoted(&format!("{name}={value}")));
    let environment: String = environment.iter().map(line).collect();
    // Commands outlive the daemon, and the next one takes them over. A second daemon of a home ends at once.
    format!(
        "[Unit]
Description=Fanlight

[Service]
Type=exec
ExecStart={} daemon
{environment}Restart=on-failure
RestartPreventExitStatus={ALREADY_RUNNING}
KillMode=process
TimeoutStopSec=60

[Install]
WantedBy=default.target
",
        quoted(exe)
    )
}

/// Returns a word for a file of systemd, where `%` begins a specifier.
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

/// Returns the property list of launchd.
fn plist(name: &str, exe: &str, environment: &[Variable]) -> String {
    let entry = |(name, value): &Variable| format!("<key>{name}</key><string>{}</string>", escaped(value));
    let entries: String = environment.iter().map(entry).collect();
    let environment = match entries.as_str() {
        "" => String::new(),
        entries => format!("  <key>EnvironmentVariables</key>\n  <dict>{entries}</dict>\n"),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">
<plist version=\"1.0\">
<dict>
  <key>Label</key><string>{}</string>
  <key>ProgramArguments</key>
  <array><string>{}</string><string>daemon</string></array>
{}  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>AbandonProcessGroup</key><true/>
</dict>
</plist>
",
        escaped(name),
        escaped(exe),
        environment
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_hostile_paths_as_they_are() {
        let text = unit("/opt/a \"b\\%h/fanlight", &[("FANLIGHT_HOME", "/home/a b/%u".to_owned())]);
        assert!(text.contains("ExecStart=\"/opt/a \\\"b\\\\%%h/fanlight\" daemon\n"), "{text}");
        assert!(text.contains("Environment=\"FANLIGHT_HOME=/home/a b/%%u\"\nRestart=on-failure\n"), "{text}");
        assert!(text.contains("RestartPreventExitStatus=75") && text.contains("KillMode=process"), "{text}");
        assert!(!unit("/fanlight", &[]).contains("Environment"), "{text}");
    }

    #[test]
    fn a_property_list_has_hostile_paths_as_they_are() {
        let text = plist("fanlight", "/opt/<a>&b/fanlight", &[("FANLIGHT_HOME", "/h".to_owned())]);
        assert!(
            text.contains("<string>/opt/&lt;a&gt;&amp;b/fanlight</string><string>daemon</string>"),
            "{text}"
        );
        assert!(text.contains("<key>FANLIGHT_HOME</key><string>/h</string>"), "{text}");
    }

    #[test]
    fn a_service_has_the_path_of_its_installer() {
        let path = |path: &str| super::path(Some(path.into())).map(|(_, path)| path);
        assert_eq!(path("/opt/slurm/bin:.:/a b:/x\ny::/bin").as_deref(), Some("/opt/slurm/bin:/a b:/bin"));
        assert_eq!((path("bin"), super::path(None)), (None, None));
    }

    #[test]
    fn each_home_has_a_service_of_its_own_and_a_path_of_two_lines_has_none() {
        let of = |root: &str, exe: &str| {
            Service::with(Manager::Systemd, &Home::below(Path::new(root)).unwrap(), Path::new(exe))
        };
        assert_ne!(of("/a", "/x").unwrap().name, of("/b", "/x").unwrap().name);
        assert!(of("/a", "/x\ny").unwrap_err().contains("can't be in the file of a service"));
    }
}
