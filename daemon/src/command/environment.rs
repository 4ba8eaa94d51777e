//! The environment of a command. Each source overrides the one before: an allow-list of the daemon's own variables, the
//! submitter's variables, the inputs, `env:`, and Fanlight's own variables.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use fanlight_shared::environment::MAX_VALUE_BYTES;
use indexmap::IndexMap;

use super::folder::Folder;
use crate::attempt::{Attempt, RunFacts};
use crate::executor::CommandWork;

/// Variables that commands get from the daemon's own environment, besides `XDG_*` and `LC_*`. None of them usually
/// holds a secret or gives access to a person's agent; the config's `pass_env` adds such names.
const PASSED_VARIABLES: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"];

/// The search path of programs if the daemon has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Variables by which the libraries of CUDA, ROCm and Level Zero learn which devices they may use.
const VISIBLE_DEVICES: [&str; 3] = ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"];

/// The maximum size of environment and arguments together, so that the system accepts them.
const MAX_BYTES: usize = 1024 * 1024;

/// Variables by name.
pub(super) type Variables = IndexMap<OsString, OsString>;

/// The environment that every command gets.
#[derive(Debug)]
pub(crate) struct Environment {
    passed: Variables,
    /// Whether commands run on this machine.
    is_here: bool,
}

impl Environment {
    /// Takes the daemon's variables that commands get: the default ones and those named in `pass`.
    pub(crate) fn inherit(all: impl Iterator<Item = (OsString, OsString)>, pass: &[String]) -> Self {
        let mut passed: Variables = all.filter(|(name, value)| is_passed(name, value, pass)).collect();
        passed.entry("PATH".into()).or_insert_with(|| DEFAULT_PATH.into());
        // A command has no terminal; this stops programs from assuming one.
        passed.entry("TERM".into()).or_insert_with(|| "dumb".into());
        Self { passed, is_here: true }
    }

    /// Returns the environment of commands on other machines: they get nothing of this one, and their `PATH` is that of the
    /// engine.
    pub(crate) fn elsewhere() -> Self {
        Self { passed: Variables::new(), is_here: false }
    }

    /// Returns whether commands run on this machine, so that their programs can be found here.
    pub(super) fn is_here(&self) -> bool {
        self.is_here
    }

    /// Returns the whole environment of an attempt except `FANLIGHT_ATTEMPT`, which the supervisor sets.
    ///
    /// # Errors
    /// A name or value that an environment can't hold.
    pub(super) fn of(
        &self,
        attempt: &Attempt,
        work: &CommandWork,
        folder: &Folder,
        inputs: IndexMap<String, OsString>,
    ) -> Result<Variables, String> {
        let mut variables = self.passed.clone();
        for (name, value) in self.submitted(&attempt.run, &attempt.withheld) {
            variables.insert(name.into(), value.into());
        }
        for (name, value) in inputs {
            check("the input", &name, &value)?;
            variables.insert(name.into(), value);
        }
        for (name, value) in &work.env {
            if name.starts_with("FANLIGHT_") {
                return Err(format!(
                    "`env:` can't set `{name}`: names that begin with FANLIGHT_ are Fanlight's own"
                ));
            }
            check("`env:`:", name, OsStr::new(value))?;
            variables.insert(name.into(), value.into());
        }
        for (name, value) in facts(attempt, folder) {
            variables.insert(name.into(), value);
        }
        Ok(variables)
    }
}

impl Environment {
    /// Returns the variables that every command gets.
    pub(crate) fn passed(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.passed.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// Returns the variables that the submitter passed to a command, as far as they make sense where it runs.
    fn submitted<'a>(
        &self,
        run: &'a RunFacts,
        withheld: &'a [String],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_here = self.is_here;
        submitted(run, withheld).filter(move |(name, _)| is_here || *name != "PATH")
    }

    /// Returns the `PATH` of a command with these variables of its own; empty if only its engine knows it.
    pub(super) fn path(
        &self,
        run: &RunFacts,
        withheld: &[String],
        env: &IndexMap<String, String>,
    ) -> OsString {
        let own = env.get("PATH").map(String::as_str);
        let path = || self.submitted(run, withheld).find(|(name, _)| *name == "PATH").map(|(_, value)| value);
        let own = own.or_else(path);
        own.map_or_else(|| self.passed.get(OsStr::new("PATH")).cloned().unwrap_or_default(), OsString::from)
    }
}

/// Returns the variables that the submitter passed to a command. `withheld`: those that only other nodes ask for.
pub(super) fn submitted<'a>(
    run: &'a RunFacts,
    withheld: &'a [String],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    run.environment.variables().filter(|(name, _)| !withheld.iter().any(|it| it == name))
}

fn is_passed(name: &OsStr, value: &OsStr, pass: &[String]) -> bool {
    let Some(name) = name.to_str() else { return false };
    if name == "FANLIGHT_HOME" {
        // A `fanlight` in the script then talks to the daemon that runs it.
        return Path::new(value).is_absolute();
    }
    let usual = PASSED_VARIABLES.contains(&name) || name.starts_with("LC_") || name.starts_with("XDG_");
    !name.starts_with("FANLIGHT_") && (usual || pass.iter().any(|it| it == name))
}

fn check(what: &str, name: &str, value: &OsStr) -> Result<(), String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!("{what} `{}` can't be the name of an environment variable", name.escape_debug()));
    }
    if value.as_encoded_bytes().contains(&0) {
        return Err(format!(
            "{what} `{name}` contains a NUL character, which an environment variable can't hold; remove it, or pass \
             the text as a file"
        ));
    }
    if value.len() > MAX_VALUE_BYTES {
        return Err(format!(
            "{what} `{name}` is {} bytes long; an environment variable holds at most {MAX_VALUE_BYTES}: pass it by `with:`, \
             where a long value becomes a file named by `${name}_file`",
            value.len()
        ));
    }
    Ok(())
}

/// Refuses sizes that the system would refuse with just "argument list too long".
pub(super) fn check_size(variables: &Variables, arguments: &[OsString]) -> Result<(), String> {
    let pointer = size_of::<usize>() + 2;
    let environment: usize = variables.iter().map(|(name, value)| name.len() + value.len() + pointer).sum();
    let line: usize = arguments.iter().map(|it| it.len() + pointer).sum();
    if environment + line > MAX_BYTES {
        return Err(format!(
            "inputs and arguments are {} bytes together; a command gets at most {MAX_BYTES}: pass long lists as a file",
            environment + line
        ));
    }
    Ok(())
}

/// Returns Fanlight's own variables about the attempt.
fn facts(attempt: &Attempt, folder: &Folder) -> Vec<(&'static str, OsString)> {
    let mut facts: Vec<(&'static str, OsString)> = vec![
        ("FANLIGHT_WORK", folder.seen(&folder.work()).into()),
        ("FANLIGHT_EVENTS", folder.seen(&folder.events()).into()),
        ("FANLIGHT_KEY", attempt.key().into()),
        ("FANLIGHT_RUN", attempt.run.id.to_string().into()),
        ("FANLIGHT_RUN_NUMBER", attempt.run.number.to_string().into()),
        ("FANLIGHT_WORKFLOW", attempt.run.workflow.clone().into()),
        ("FANLIGHT_NODE", attempt.node.clone().into()),
        ("FANLIGHT_ITEM", attempt.item.0.map_or_else(String::new, |index| index.to_string()).into()),
    ];
    if let Some(project) = &attempt.run.project {
        facts.push(("FANLIGHT_PROJECT", project.clone().into()));
    }
    if !attempt.gpus.is_empty() {
        let ids = attempt.gpus.iter().map(|slot| slot.id.as_str()).collect::<Vec<_>>().join(",");
        facts.extend(VISIBLE_DEVICES.map(|name| (name, OsString::from(&ids))));
        // Otherwise CUDA numbers devices by their speed, and not as `nvidia-smi` does.
        facts.push(("CUDA_DEVICE_ORDER", "PCI_BUS_ID".into()));
    }
    facts
}

#[cfg(test)]
mod tests {
    use fanlight_shared::resources::GpuSlot;

    use super::*;
    use crate::command::fixture;

    fn inherit(all: &[(&str, &str)], pass: &[&str]) -> Environment {
        let pass: Vec<String> = pass.iter().map(|it| (*it).to_owned()).collect();
        Environment::inherit(all.iter().map(|(name, value)| ((*name).into(), (*value).into())), &pass)
    }
    fn names(environment: &Environment) -> Vec<&str> {
        environment.passed.keys().filter_map(|it| it.to_str()).collect()
    }

    #[test]
    fn only_allowed_variables_are_passed_on() {
        let own = [
            ("PATH", "/bin"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("LC_ALL", "C"),
            ("SSH_AUTH_SOCK", "/s"),
            ("FANLIGHT_KEY", "forged"),
            ("FANLIGHT_HOME", "/h"),
        ];
        assert_eq!(names(&inherit(&own, &["FANLIGHT_KEY"])), ["PATH", "LC_ALL", "FANLIGHT_HOME", "TERM"]);
        assert_eq!(names(&inherit(&own[3..4], &["SSH_AUTH_SOCK"])), ["SSH_AUTH_SOCK", "PATH", "TERM"]);
    }

    #[test]
    fn later_variables_win_except_over_those_of_fanlight() {
        let temp = tempfile::tempdir().unwrap();
        let attempt = fixture::attempt_with(&[("LANG", "de"), ("PATH", "/opt/bin"), ("place", "Kew")]);
        let folder = Folder::of(temp.path(), attempt.id);
        let environment = inherit(&[("HOME", "/home/x"), ("LANG", "C"), ("PATH", "/bin")], &[]);
        let inputs = IndexMap::from([("place".to_owned(), OsString::from("Hove"))]);
        let mut work = fixture::work();
        work.env = IndexMap::from([("HOME".into(), "/tmp".into()), ("place".into(), "Ayr".into())]);
        let made = environment.of(&attempt, &work, &folder, inputs.clone()).unwrap();
        let get = |name: &str| made[OsStr::new(name)].to_str().unwrap();
        assert_eq!((get("HOME"), get("place"), get("LANG")), ("/tmp", "Ayr", "de"));
        assert_eq!(get("PATH"), "/opt/bin");
        assert_eq!(get("FANLIGHT_NODE"), "step");
        assert_eq!(made[OsStr::new("FANLIGHT_WORK")], folder.work());
        work.env = IndexMap::from([("FANLIGHT_KEY".into(), "x".into())]);
        assert!(environment.of(&attempt, &work, &folder, inputs).unwrap_err().contains("Fanlight's own"));
    }

    #[test]
    fn a_variable_requested_only_by_another_node_is_withheld() {
        let temp = tempfile::tempdir().unwrap();
        let variables = [("TOKEN", "secret"), ("CC", "clang")];
        let withheld = ["TOKEN".to_owned()].into();
        let attempt = Attempt { withheld, ..fixture::attempt_with(&variables) };
        let folder = Folder::of(temp.path(), attempt.id);
        let made = inherit(&[], &[]).of(&attempt, &fixture::work(), &folder, IndexMap::new()).unwrap();
        assert!(!made.contains_key(OsStr::new("TOKEN")));
        assert_eq!(made[OsStr::new("CC")], "clang");
    }

    #[test]
    fn an_attempt_with_gpus_sees_these_alone() {
        let temp = tempfile::tempdir().unwrap();
        let slot = |id: &str| GpuSlot { id: id.into(), uuid: None, name: None, part: 1000 };
        let attempt = Attempt { gpus: vec![slot("2"), slot("5")], ..fixture::attempt() };
        let folder = Folder::of(temp.path(), attempt.id);
        let mut work = fixture::work();
        work.env.insert("CUDA_VISIBLE_DEVICES".into(), "0".into());
        let made = inherit(&[], &[]).of(&attempt, &work, &folder, IndexMap::new()).unwrap();
        for name in VISIBLE_DEVICES {
            assert_eq!(made[OsStr::new(name)], "2,5");
        }
        assert_eq!(made[OsStr::new("CUDA_DEVICE_ORDER")], "PCI_BUS_ID");
        let without = inherit(&[], &[]).of(&fixture::attempt(), &work, &folder, IndexMap::new()).unwrap();
        assert_eq!(without[OsStr::new("CUDA_VISIBLE_DEVICES")], "0");
        assert!(!without.contains_key(OsStr::new("CUDA_DEVICE_ORDER")));
    }

    #[test]
    fn the_last_path_that_was_set_is_searched() {
        let environment = inherit(&[("PATH", "/daemon")], &[]);
        let (nobody, ada) = (fixture::attempt(), fixture::attempt_with(&[("PATH", "/ada")]));
        let mut work = fixture::work();
        assert_eq!(environment.path(&nobody.run, &[], &work.env), "/daemon");
        assert_eq!(environment.path(&ada.run, &[], &work.env), "/ada");
        work.env.insert("PATH".into(), "/own".into());
        assert_eq!(environment.path(&ada.run, &[], &work.env), "/own");
    }

    #[test]
    fn invalid_names_and_values_are_refused_with_a_reason() {
        assert!(check("the input", "a", OsStr::new("x\0y")).unwrap_err().contains("NUL"));
        assert!(check("`env:`:", "a=b", OsStr::new("")).unwrap_err().contains("a=b"));
        assert!(
            check("`env:`:", "a", OsStr::new(&"x".repeat(MAX_VALUE_BYTES + 1)))
                .unwrap_err()
                .contains("a_file")
        );
        let many: Variables = (0..20).map(|i| (format!("v{i}").into(), "x".repeat(60_000).into())).collect();
        assert!(check_size(&many, &[]).unwrap_err().contains("at most"));
    }
}
