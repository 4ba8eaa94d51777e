//! `fanlight report`: a sweep as a page that needs no daemon, no network and no program but a browser.

mod curves;
mod files;
mod html;
mod page;
mod sheet;
mod table;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use fanlight_shared::client::Client;
use fanlight_shared::rpc::metrics::{self, Series};
use fanlight_shared::rpc::runs;
use fanlight_shared::rpc::sweeps::{self, Sweep};
use fanlight_shared::run::Run;
use fanlight_shared::sanitise;
use fanlight_shared::value::Values;

use super::find_params;
use super::run::save::{EndedRun, Saved, Saving, save_run};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out};
use crate::text;

/// The most runs of a report.
const MAX_RUNS: usize = 2_000;

/// The arguments of `report`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The sweep: its name, a workflow's name (its newest sweep), or `last`.
    #[arg(value_name = "SWEEP")]
    sweep: String,
    /// The folder to create; open its `index.html` with a browser.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The param whose values are the columns of the sheet. By default the page has a sheet if exactly two params vary.
    #[arg(long, value_name = "PARAM")]
    x: Option<String>,
    /// The param whose values are the rows of the sheet; with `--x` alone it has one row.
    #[arg(long, value_name = "PARAM", requires = "x")]
    y: Option<String>,
    /// The output that the sheet shows; by default the first that is a picture, else the first.
    #[arg(long, value_name = "OUTPUT")]
    output: Option<String>,
    /// Don't write the recipe into PNG, JPEG, WAV and FLAC files: how each was made.
    #[arg(long)]
    no_recipe: bool,
}

/// Everything that a report shows.
struct Report {
    /// Its folder, while it is being made.
    root: PathBuf,
    sweep: Sweep,
    /// The params whose values differ.
    varied: Vec<String>,
    runs: Vec<Shown>,
    series: Vec<Series>,
    /// The products by two params.
    sheet: Option<sheet::OfOutput>,
    /// By the name of the metric.
    curves: BTreeMap<String, Vec<metrics::Curve>>,
}

/// A run of a report.
struct Shown {
    run: Run,
    outputs: Values,
    /// The outputs that were saved, and their paths below the folder of the report.
    files: Vec<(String, PathBuf)>,
}

/// Runs `report`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let shown = args.dir.display();
    if std::fs::read_dir(&args.dir).is_ok_and(|mut entries| entries.next().is_some()) || args.dir.is_file() {
        return Err(Failure::usage(format!("`{shown}` exists already; it was left as it is"))
            .hint("a report makes its own folder"));
    }
    let failed = |error: std::io::Error| Failure::failed(format!("`{shown}` can't be written: {error}"));
    let parent = args.dir.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    // It gets its name once it is complete.
    let folder = tempfile::Builder::new().prefix(".fanlight-report-").tempdir_in(parent).map_err(failed)?;
    let (report, problems) = read(&client, &args, folder.path()).await?;
    let mut page =
        std::io::BufWriter::new(std::fs::File::create_new(folder.path().join("index.html")).map_err(failed)?);
    page::write(&mut page, &report).and_then(|()| page.flush()).map_err(failed)?;
    readable(folder.path()).map_err(failed)?;
    std::fs::rename(folder.path(), &args.dir).map_err(failed)?;
    let _ = folder.keep();
    problems.iter().for_each(|problem| output::note(&sanitise::line(problem)));
    let mut out = Out::new();
    out.line(&sanitise::line(&args.dir.join("index.html").to_string_lossy()))?;
    out.flush()?;
    if problems.is_empty() {
        return Ok(());
    }
    let count = text::count(problems.len(), "output");
    Err(Failure::failed(format!("the report lacks {count} that could not be saved")))
}

/// Gives the folder the mode of others that the user makes.
fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))
}

/// Reads a sweep, and saves its outputs below a folder.
async fn read(client: &Client, args: &Args, folder: &Path) -> Result<(Report, Vec<String>), Failure> {
    let detail = client.call(sweeps::Get { sweep: args.sweep.clone() }).await?;
    let runs = runs_of(client, &detail.sweep.name).await?;
    let saving = Saving { folder: folder.join("files"), names: None, recipes: !args.no_recipe };
    let mut saved = Saved::default();
    let mut shown = Vec::with_capacity(runs.len());
    for mut run in runs {
        find_params(client, &mut run).await?;
        let outputs = client.run(&run.id.to_string()).await?.state.outputs;
        let ended = EndedRun { client: client.clone(), run: run.clone(), outputs: outputs.clone() };
        save_run(&saving, ended, &mut saved).await;
        let files = saved.files.remove(&run.id).unwrap_or_default();
        let below = |(output, path): (String, PathBuf)| {
            (output, path.strip_prefix(folder).map(Path::to_owned).unwrap_or(path))
        };
        shown.push(Shown { run, outputs, files: files.into_iter().map(below).collect() });
    }
    let series = curves::series(client, &shown).await?;
    let curves = curves::read(client, &shown, &series).await?;
    let varied: Vec<String> = detail.params.keys().cloned().collect();
    let sheet = sheet::choose(args, &varied, &shown)?;
    let (root, sweep) = (folder.to_owned(), detail.sweep);
    Ok((Report { root, sweep, varied, runs: shown, series, sheet, curves }, saved.errors))
}

/// Returns the runs of a sweep in the order of their submission.
async fn runs_of(client: &Client, sweep: &str) -> Result<Vec<Run>, Failure> {
    let mut list = runs::List { sweep: Some(sweep.to_owned()), limit: Some(1000), ..runs::List::default() };
    let mut found = Vec::new();
    loop {
        let page = client.call(list.clone()).await?;
        found.extend(page.rows);
        if found.len() > MAX_RUNS {
            return Err(Failure::failed(format!("the sweep `{sweep}` has more than {MAX_RUNS} runs"))
                .hint("a report of a part of a sweep is not in this version"));
        }
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            found.reverse();
            return Ok(found);
        }
    }
}
