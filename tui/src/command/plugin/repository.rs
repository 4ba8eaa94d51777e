//! Plugins in git repositories: one commit is fetched into a folder of the home.

use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use fanlight_shared::folder::create_private;
use fanlight_shared::home::Home;
use fanlight_shared::rpc::plugins::Origin;
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;

use crate::embedded::ManifestFile;
use crate::failure::Failure;
use crate::output;

/// The most files that are named.
const MAX_SHOWN: usize = 30;
/// How many characters of a commit are shown, and name its folder.
const SHORT: usize = 12;

/// A repository, as the command line names it.
#[derive(Debug)]
pub(super) struct Repository {
    url: String,
}

/// A commit that was fetched; its files are removed when it is dropped, unless it is kept.
#[derive(Debug)]
pub(super) struct Fetched {
    folder: tempfile::TempDir,
    pub(super) origin: Origin,
}

impl Repository {
    /// Returns the repository that a text names; `None` if it is the path of a folder.
    ///
    /// # Errors
    /// It can't be fetched in this way.
    pub(super) fn of(text: &str) -> Result<Option<Self>, Failure> {
        let shown = sanitise::line(text);
        let wrong = |why: &str, hint: &str| Err(Failure::usage(format!("`{shown}` {why}")).hint(hint));
        let hint = "use https://, ssh:// or file://";
        let is_remote =
            |it: &str| it.split_once(':').is_some_and(|(host, _)| !host.contains('/') && host.contains('@'));
        let Some((scheme, rest)) = text.split_once("://") else {
            if text.contains("::") && !Path::new(text).exists() {
                return wrong("is not the address of a repository", hint);
            }
            // As ssh knows it: `git@example.org:plugins/clip.git`.
            let remote = is_remote(text) && !text.starts_with('-') && !Path::new(text).exists();
            return Ok(remote.then(|| Self { url: text.to_owned() }));
        };
        if !matches!(scheme, "https" | "ssh" | "file") {
            return wrong("is fetched in a way that is not safe", hint);
        }
        let host = rest.split('/').next().unwrap_or_default();
        if scheme == "https" && host.contains('@') {
            return wrong(
                "has a name or a password in it, which would be stored",
                "use a credential helper of git",
            );
        }
        if host.starts_with('-') {
            return wrong("is not the address of a repository", hint);
        }
        Ok(Some(Self { url: text.to_owned() }))
    }

    /// Fetches one commit: a branch, a tag, a commit, or the newest one.
    pub(super) fn fetch(&self, home: &Home, at: Option<&str>) -> Result<Fetched, Failure> {
        let at = at.unwrap_or("HEAD");
        let plain = |it: u8| it.is_ascii_alphanumeric() || b"._/-".contains(&it);
        if at.is_empty() || at.starts_with('-') || !at.bytes().all(plain) {
            let shown = sanitise::line(at);
            return Err(Failure::usage(format!("`{shown}` can't be a branch, a tag or a commit")));
        }
        let parent = home.fetched_plugins();
        let made = create_private(&parent)
            .and_then(|()| tempfile::Builder::new().prefix(".fetch-").tempdir_in(&parent));
        let folder = made.map_err(|error| {
            Failure::failed(format!("no folder can be made in {}: {error}", parent.display()))
        })?;
        let shown = sanitise::line(&self.url);
        let wrong = |why: String| Failure::failed(format!("`{at}` of {shown} can't be fetched: {why}"));
        git(folder.path(), &["init", "--quiet", "--template="]).map_err(wrong)?;
        write_attributes(folder.path()).map_err(|error| wrong(error.to_string()))?;
        git(folder.path(), &["fetch", "--quiet", "--no-tags", "--depth=1", "--", &self.url, at])
            .map_err(wrong)?;
        let commit = git(folder.path(), &["rev-parse", "--verify", "FETCH_HEAD^{commit}"]).map_err(wrong)?;
        git(folder.path(), &["checkout", "--quiet", "--detach", commit.trim()]).map_err(wrong)?;
        let origin = Origin { url: self.url.clone(), commit: commit.trim().to_owned() };
        Ok(Fetched { folder, origin })
    }
}

impl Fetched {
    /// Reads the manifest in the folder at a path in the repository.
    pub(super) fn manifest(&self, path: Option<&Path>) -> Result<ManifestFile, Failure> {
        manifest(self.folder.path(), path)
    }

    /// Shows the commit and its files.
    pub(super) fn show(&self) -> Result<(), Failure> {
        let ask = |arguments: &[&str]| {
            git(self.folder.path(), arguments)
                .map_err(|why| Failure::failed(format!("the commit can't be read: {why}")))
        };
        let about = ask(&["show", "--no-patch", "--format=%as %s", "HEAD"])?;
        output::note(&format!("{} {}", self.origin.commit, cut(&sanitise::line(about.trim()), 100)));
        let files = ask(&["ls-files", "-z"])?;
        let files: Vec<&str> = files.split_terminator('\0').collect();
        for file in files.iter().take(MAX_SHOWN) {
            output::note(&format!("  {}", sanitise::line(file)));
        }
        if let Some(more @ 1..) = files.len().checked_sub(MAX_SHOWN) {
            output::note(&format!("  and {more} more files"));
        }
        Ok(())
    }

    /// Keeps its files, and returns their folder. They are on the disk before anything names it.
    pub(super) fn keep(self, home: &Home, name: &str) -> Result<PathBuf, Failure> {
        let short = &self.origin.commit[..SHORT];
        let parent = home.fetched_plugins();
        let sync = || std::fs::File::open(&parent).and_then(|it| Ok(rustix::fs::syncfs(it)?));
        // A folder of an earlier time may be in use, or was changed.
        let names =
            (1..).map(|it| if it == 1 { format!("{name}-{short}") } else { format!("{name}-{short}-{it}") });
        for name in names.take(1000) {
            let path = parent.join(name);
            if !path.exists() && std::fs::rename(self.folder.path(), &path).is_ok() {
                sync().map_err(|error| Failure::failed(format!("the plugin can't be kept: {error}")))?;
                return Ok(path);
            }
        }
        Err(Failure::failed(format!("the plugin can't be kept in {}", parent.display())))
    }
}

/// Reads the manifest in the folder at a path in a repository; where that is on this machine is no business of the user.
pub(super) fn manifest(root: &Path, path: Option<&Path>) -> Result<ManifestFile, Failure> {
    let path = path.unwrap_or(Path::new(""));
    let shown = sanitise::line(&path.to_string_lossy());
    if !path.components().all(|it| matches!(it, Component::Normal(_))) {
        return Err(Failure::usage(format!("`{shown}` is not a path in the repository")));
    }
    let folder = root.join(path);
    if !folder.join("plugin.toml").is_file() {
        let place = if shown.is_empty() { shown } else { format!(" in {shown}") };
        return Err(Failure::failed(format!("the repository has no plugin.toml{place}"))
            .hint("name its folder with `--path`"));
    }
    let file = ManifestFile::read(&folder).map_err(Failure::failed)?;
    let root = root.canonicalize().map_err(|error| Failure::failed(format!("it can't be read: {error}")))?;
    if !file.folder.starts_with(root) {
        return Err(Failure::failed(format!("`{shown}` is a link that leads out of the repository")));
    }
    Ok(file)
}

/// Forbids what a repository could start by its `.gitattributes`: filters of the user's config, such as that of Git LFS.
/// This file has precedence over all of the repository.
fn write_attributes(folder: &Path) -> std::io::Result<()> {
    let info = folder.join(".git/info");
    std::fs::create_dir_all(&info)?;
    std::fs::write(info.join("attributes"), "* -filter -ident -working-tree-encoding\n")
}

/// Runs git in a folder, and returns its output. Nothing of the repository runs.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    for setting in [
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.autocrlf=false",
        "protocol.ext.allow=never",
        "submodule.recurse=false",
        "advice.detachedHead=false",
        "log.showSignature=false",
    ] {
        command.args(["-c", setting]);
    }
    command
        .args(arguments)
        .env("GIT_ALLOW_PROTOCOL", "https:ssh:file")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    for name in [
        "GIT_DIR",
        "GIT_COMMON_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_CONFIG_PARAMETERS",
    ] {
        command.env_remove(name);
    }
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no program `git` in PATH".to_owned(),
        _ => format!("git can't be started: {error}"),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().find(|it| it.starts_with("fatal: ") || it.starts_with("error: "));
        let line = line.or(said.lines().last()).unwrap_or("git failed");
        let line = line.trim_start_matches("fatal: ").trim_start_matches("error: ");
        return Err(cut(&sanitise::line(line), 300));
    }
    String::from_utf8(output.stdout).map_err(|_| "git wrote something that is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_repositories_are_told_from_paths() {
        for url in [
            "https://example.org/clip.git",
            "ssh://git@example.org/clip",
            "git@example.org:a/clip.git",
            "file:///srv/clip",
        ] {
            assert_eq!(Repository::of(url).unwrap().unwrap().url, url);
        }
        for path in [".", "clip", "/srv/clip", "a/b@c:d", "clip:2"] {
            assert!(Repository::of(path).unwrap().is_none(), "{path}");
        }
    }

    #[test]
    fn what_is_not_safe_to_fetch_is_refused() {
        for url in [
            "ext::sh -c id",
            "ext://sh",
            "http://example.org/clip",
            "git://example.org/clip",
            "https://user:token@example.org/clip",
            "ssh://-oProxyCommand=id/clip",
            "--upload-pack=id://x",
        ] {
            assert!(Repository::of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_name_that_git_would_take_for_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::below(folder.path()).unwrap();
        let repository = Repository { url: "file:///nowhere".into() };
        for at in ["", "--upload-pack=id", "+a:b", "a b", "HEAD^{tree}"] {
            assert!(repository.fetch(&home, Some(at)).is_err(), "{at}");
        }
    }
}
