//! `fanlight plugin new`: the folder of a new plugin, from a template.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::embedded::{catalogue, check_plugin_name};
use crate::failure::Failure;
use crate::output::Out;

/// The arguments of `plugin new`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The plugin: its folder is made here, and its node types begin with this name.
    #[arg(value_name = "NAME")]
    name: String,
    /// The language of its program.
    #[arg(long, value_name = "LANGUAGE", default_value = "python")]
    lang: Language,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Language {
    Python,
    Node,
    Bash,
    Rust,
}

/// The word of a template, also of the names of its files, for which the name of the plugin is written.
const PLACEHOLDER: &str = "NAME";

/// A file of a template: its path and its text.
type File = (&'static str, &'static str);

macro_rules! template {
    ($($file:literal)+) => {
        &[$(($file, include_str!(concat!("../../../../workflows/plugins/templates/", $file)))),+]
    };
}

// A module that is named like the plugin could hide one of Python's own, such as `token`.
const PYTHON: &[File] = template! { "python/plugin.toml" "python/main.py" };
const NODE: &[File] = template! { "node/plugin.toml" "node/NAME.mjs" };
const BASH: &[File] = template! { "bash/plugin.toml" "bash/NAME.sh" };
const RUST: &[File] = template! { "rust/plugin.toml" "rust/Cargo.toml" "rust/.gitignore" "rust/src/main.rs" };
const EXAMPLE: &[File] = template! { "example.yaml" };
const HELPER: File = ("fanlight_plugin.py", include_str!("../../../../workflows/plugins/fanlight_plugin.py"));

impl Language {
    /// Returns the files of its template, with paths in the plugin's folder.
    fn files(self) -> Vec<File> {
        let own = match self {
            Self::Python => PYTHON,
            Self::Node => NODE,
            Self::Bash => BASH,
            Self::Rust => RUST,
        };
        let below = |(path, text): &File| (path.split_once('/').map_or(*path, |(_, rest)| rest), *text);
        let helper = matches!(self, Self::Python).then_some(HELPER);
        own.iter().map(below).chain(EXAMPLE.iter().copied()).chain(helper).collect()
    }

    /// Returns what builds its program, before it can be added.
    fn build(self, name: &str) -> Option<String> {
        matches!(self, Self::Rust).then(|| format!("cargo build --release --manifest-path {name}/Cargo.toml"))
    }
}

/// Runs `plugin new`.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let name = args.name.as_str();
    check_plugin_name(name).map_err(Failure::usage)?;
    let family = format!("{name}.");
    if let Some(taken) = catalogue().0.keys().find(|it| it.starts_with(&family)) {
        return Err(Failure::usage(format!("`{name}` is the family of the node type `{taken}`"))
            .hint("give another name"));
    }
    write(Path::new(name), name, &args.lang.files())?;
    let mut out = Out::new();
    out.line(&format!("made {name}"))?;
    if let Some(build) = args.lang.build(name) {
        out.line(&format!("build it with `{build}`"))?;
    }
    out.line(&format!("add it with `fanlight plugin add {name}`"))?;
    out.line(&format!("run it with `fanlight run {name}/example.yaml`"))?;
    out.flush()
}

/// Writes the files of a template into a new folder.
fn write(folder: &Path, name: &str, files: &[File]) -> Result<(), Failure> {
    let shown = folder.display();
    std::fs::create_dir(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::failed(format!("`{shown}` exists already; it was left as it is"))
                .hint("give another name, or move the old folder away")
        }
        _ => Failure::failed(format!("`{shown}` can't be made: {error}")),
    })?;
    let written = write_files(folder, name, files);
    if written.is_err() {
        // It was made here, and is of no use.
        let _ = std::fs::remove_dir_all(folder);
    }
    written
}

fn write_files(folder: &Path, name: &str, files: &[File]) -> Result<(), Failure> {
    for (path, text) in files {
        let path: PathBuf = folder.join(path.replace(PLACEHOLDER, name));
        let place = || -> std::io::Result<()> {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
            file.write_all(text.replace(PLACEHOLDER, name).as_bytes())
        };
        place()
            .map_err(|error| Failure::failed(format!("`{}` can't be written: {error}", path.display())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_that_can_t_be_written_whole_leaves_no_folder() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("echo");
        let files = [("NAME.toml", "name = \"NAME\""), ("NAME.toml/main.py", "")];
        let failure = write(&folder, "echo", &files).unwrap_err();
        assert!(format!("{failure:?}").contains("can't be written"), "{failure:?}");
        assert!(!folder.exists());
        write(&folder, "echo", &files[..1]).unwrap();
        assert!(write(&folder, "echo", &files[..1]).is_err());
        assert_eq!(std::fs::read_to_string(folder.join("echo.toml")).unwrap(), "name = \"echo\"");
    }
}
