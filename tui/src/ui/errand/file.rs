//! Errands to files and to other programs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use fanlight_shared::document as reader;
use fanlight_shared::id::AssetId;
use fanlight_shared::rpc::{assets, workflows};
use fanlight_shared::sanitise;

use super::Errands;
use crate::example;
use crate::ui::effect::Effect;
use crate::ui::message::{Came, Document};

/// How many files of a folder are looked at.
const MOST_FILES: usize = 2_000;

impl Errands {
    /// Carries out what an effect wants of files; gives back what is none of these.
    pub(super) fn file(&self, effect: Effect) -> Option<Effect> {
        let this = self.clone();
        match effect {
            Effect::ListFiles => self.aside(|| Ok(vec![Came::Files(workflow_files())])),
            Effect::ReadFile(path) => self.aside(move || this.read_file(&path)),
            Effect::ReadExample(name) => self.aside(move || this.read_example(&name)),
            Effect::NewFile { example, path } => self.aside(move || this.new_file(&example, &path)),
            Effect::SaveAs(asset, path) => self.save_as(asset, path),
            Effect::OpenOutside(asset) => self.open_outside(asset),
            other => return Some(other),
        }
        None
    }

    fn read_file(&self, path: &Path) -> Result<Vec<Came>, (String, String)> {
        let what = || format!("read {}", path.display());
        let path = path.canonicalize().map_err(|error| (what(), error.to_string()))?;
        let text = std::fs::read_to_string(&path).map_err(|error| (what(), error.to_string()))?;
        Ok(vec![Came::Document(Box::new(self.document(Some(path), None, text)))])
    }

    fn read_example(&self, name: &str) -> Result<Vec<Came>, (String, String)> {
        let what = || format!("read the example {name}");
        let example = example::find(name).ok_or_else(|| (what(), "there is no such example".to_owned()))?;
        let path = example.place(&self.home).map_err(|error| (what(), error.message().to_owned()))?;
        let document = self.document(Some(path), Some(name.to_owned()), example.document.to_owned());
        Ok(vec![Came::Document(Box::new(document))])
    }

    fn new_file(&self, name: &str, path: &Path) -> Result<Vec<Came>, (String, String)> {
        let what = || format!("make {}", path.display());
        let example = example::find(name).ok_or_else(|| (what(), format!("there is no example {name}")))?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| (what(), error.to_string()))?;
        file.write_all(example.document.as_bytes()).map_err(|error| (what(), error.to_string()))?;
        let mut came = vec![Came::Saved(path.to_owned())];
        came.extend(self.read_file(path)?);
        Ok(came)
    }

    /// A workflow as the daemon knows it; its file wins where it is still there.
    pub(super) fn stored(&self, detail: &workflows::Detail) -> Document {
        let path = detail.workflow.path.as_ref().map(PathBuf::from).filter(|path| path.is_file());
        let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let mut document = self.document(path, None, text.unwrap_or_else(|| detail.document.clone()));
        if document.path.is_none() {
            document.name.clone_from(&detail.workflow.slug);
        }
        document
    }

    fn document(&self, path: Option<PathBuf>, example: Option<String>, text: String) -> Document {
        let of_path = path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        let name = example.clone().or(of_path).unwrap_or_default();
        let (workflow, problems) = match reader::read(&text, &self.catalogue) {
            Ok(checked) => (Some(Arc::new(checked.workflow)), checked.warnings),
            Err(problems) => (None, problems),
        };
        Document {
            path,
            example,
            workflow_id: None,
            name: sanitise::line(&name),
            text: text.into(),
            workflow,
            problems,
        }
    }

    fn save_as(&self, asset: AssetId, path: PathBuf) {
        let this = self.clone();
        self.go(format!("save {}", path.display()), async move {
            if path.exists() {
                return Err("there is such a file already; nothing was overwritten".to_owned());
            }
            let bytes = this.bytes(asset).await?;
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| error.to_string())?;
            file.write_all(&bytes).map_err(|error| error.to_string())?;
            file.persist_noclobber(&path).map_err(|error| error.to_string())?;
            Ok(vec![Came::Saved(path)])
        });
    }

    fn open_outside(&self, asset: AssetId) {
        let this = self.clone();
        self.go("open outside", async move {
            let name = this.call(assets::Get { asset: asset.to_string() }).await?.asset.name;
            let bytes = this.bytes(asset).await?;
            let folder = this.home.state.join("opened").join(asset.to_string());
            std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            let safe = Path::new(&name).file_name().map_or_else(|| "product".into(), ToOwned::to_owned);
            let path = folder.join(safe);
            std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
            let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
            Command::new(opener)
                .arg(&path)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|error| format!("`{opener}` can't be started: {error}; the file is {}", path.display()))?;
            Ok(vec![Came::Done(format!("opened {}", path.display()))])
        });
    }

    async fn bytes(&self, asset: AssetId) -> Result<Vec<u8>, String> {
        let client = self.daemon.client().await?;
        client.read_asset(asset, None).await.map_err(|error| super::sentence(&error))
    }
}

/// Files of the current folder that may be workflows, in name order.
fn workflow_files() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(".") else { return Vec::new() };
    let is_yaml = |path: &Path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
    let mut files: Vec<PathBuf> = entries
        .take(MOST_FILES)
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| is_yaml(path) && path.is_file())
        .map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path))
        .collect();
    files.sort();
    files
}
