//! `dir:`: the folder in which a command works instead of its private one.

use crate::template::Template;
use crate::types::Type;
use crate::value::cut;

/// The folder in which a command works.
#[derive(Clone, PartialEq, Debug)]
pub enum Dir {
    /// A folder, relative to the file, which it shares with others.
    Shared(String),
    /// A copy of a folder, for each attempt its own.
    Copy {
        /// The folder, relative to the file.
        from: String,
        /// Patterns of what is not copied, relative to the folder.
        exclude: Vec<String>,
    },
    /// A work tree of a git repository, for each attempt its own.
    Worktree {
        /// The revision that is checked out: a branch, a tag or a commit.
        revision: Template,
        /// A folder of the repository, relative to the file.
        repo: String,
    },
}

impl Dir {
    /// Returns the folder of the user that the command reads, relative to the file.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Shared(path) => path,
            Self::Copy { from, .. } => from,
            Self::Worktree { repo, .. } => repo,
        }
    }

    /// Returns the revision, if it is a work tree.
    #[must_use]
    pub fn revision(&self) -> Option<&Template> {
        match self {
            Self::Worktree { revision, .. } => Some(revision),
            Self::Shared(_) | Self::Copy { .. } => None,
        }
    }
}

/// Checks the name of a revision before it becomes an argument of git.
///
/// # Errors
/// What is wrong, as a sentence.
pub fn check_revision(revision: &str) -> Result<(), String> {
    let shown = cut(&crate::sanitise::line(revision), 60);
    if revision.trim().is_empty() {
        return Err("the revision is empty; write a branch, a tag or a commit, such as `HEAD`".into());
    }
    if revision.starts_with('-') {
        return Err(format!("the revision `{shown}` begins with `-`, so git would take it for an option"));
    }
    if revision.chars().any(char::is_control) {
        return Err(format!("the revision `{shown}` contains a control character"));
    }
    Ok(())
}

/// What a command changed in its own copy or work tree, as an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changes {
    /// A patch that `git apply` accepts.
    Patch,
    /// The changed and new files, as a folder.
    Files,
    /// A commit on a branch of the repository.
    Branch,
}

impl Changes {
    /// All of them, by the words of the file, which are also the names of their outputs.
    pub const WORDS: [(&str, Self); 3] =
        [("patch", Self::Patch), ("files", Self::Files), ("branch", Self::Branch)];

    /// Returns the name of its output.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Files => "files",
            Self::Branch => "branch",
        }
    }

    /// Returns the type of its output.
    #[must_use]
    pub fn ty(self) -> Type {
        use crate::media::MediaKind;
        match self {
            Self::Patch => Type::Media(MediaKind::File),
            Self::Files => Type::Media(MediaKind::Dir),
            Self::Branch => Type::Text,
        }
    }
}
