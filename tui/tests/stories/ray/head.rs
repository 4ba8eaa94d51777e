//! The head of a Ray cluster in this process: it answers as a real one does, runs entrypoints, and has bad days.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::alive::is_alive;
use crate::support::wait_for;

/// What a head may do to its users.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Mood {
    /// It closes connections without an answer.
    Down,
    /// Jobs wait for resources.
    Hold,
    /// The next job is taken, and the answer gets lost.
    Mute,
    /// The answer about the next job waits until this is over.
    Slow,
    /// It takes no jobs at the moment.
    Busy,
    /// The next job waits for too long, which ends it.
    Expires,
    /// The next job loses its node before it starts.
    LosesNode,
}

/// A head; clones are the same one.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    moods: BTreeSet<Mood>,
    token: Option<String>,
    jobs: BTreeMap<String, Job>,
    /// The first line of each request, with its body.
    requests: Vec<String>,
}

struct Job {
    entrypoint: String,
    pid: Option<i32>,
    entry: Value,
}

impl Job {
    fn is_ended(&self) -> bool {
        !matches!(self.entry["status"].as_str(), Some("PENDING" | "RUNNING"))
    }

    fn ends(&mut self, status: &str, error_type: Option<&str>, exit_code: Option<i32>) {
        if !self.is_ended() {
            self.entry["status"] = json!(status);
            self.entry["error_type"] = json!(error_type);
            self.entry["driver_exit_code"] = json!(exit_code);
            self.entry["end_time"] = json!(3000);
            self.entry["message"] = json!(format!("the job ended as {status}"));
        }
    }
}

impl Head {
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let head = Self { address, state: Arc::default() };
        let serving = head.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let head = serving.clone();
                // A client that is killed meanwhile is no concern of a head.
                std::thread::spawn(move || head.serve(stream));
            }
        });
        head
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn turns(&self, mood: Mood) {
        self.state().moods.insert(mood);
    }

    /// Ends a mood. Jobs that were held start.
    pub(super) fn recovers(&self, mood: Mood) {
        self.state().moods.remove(&mood);
        if mood == Mood::Hold {
            let waiting: Vec<String> = {
                let state = self.state();
                let waits = |job: &&Job| job.entry["status"] == "PENDING";
                state.jobs.iter().filter(|(_, job)| waits(job)).map(|(id, _)| id.clone()).collect()
            };
            waiting.iter().for_each(|id| self.run(id));
        }
    }

    fn is(&self, mood: Mood) -> bool {
        self.state().moods.contains(&mood)
    }

    fn once(&self, mood: Mood) -> bool {
        self.state().moods.remove(&mood)
    }

    /// Answers only those with this token.
    pub(super) fn wants(&self, token: &str) {
        self.state().token = Some(token.to_owned());
    }

    /// Is started again, and forgets everything.
    pub(super) fn forgets(&self) {
        self.state().jobs.clear();
    }

    /// Loses the node of its only job: the processes of Ray there are gone, and that of the command is not.
    pub(super) fn loses_node(&self) {
        for job in self.state().jobs.values_mut() {
            job.ends("FAILED", Some("JOB_SUPERVISOR_ACTOR_DIED"), None);
        }
    }

    /// Stops its only job, as `ray job stop` does.
    pub(super) fn stops(&self) {
        let id = self.job();
        let pid = self.state().jobs[&id].pid;
        self.stop(&id, pid.unwrap());
    }

    /// Returns how often it was asked this, such as `POST /api/jobs/ `.
    pub(super) fn asked(&self, request: &str) -> usize {
        self.state().requests.iter().filter(|it| it.starts_with(request)).count()
    }

    /// Returns all requests.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// Returns the id of its only job.
    pub(super) fn job(&self) -> String {
        wait_for("a job", || !self.state().jobs.is_empty());
        self.state().jobs.keys().next().unwrap().clone()
    }

    /// Returns the states of its jobs.
    pub(super) fn jobs(&self) -> Vec<String> {
        self.state().jobs.values().map(|job| job.entry["status"].as_str().unwrap().to_owned()).collect()
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut first, mut length, mut token) = (String::new(), 0, None);
        let _ = reader.read_line(&mut first);
        for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => token = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body = String::from_utf8(body).unwrap();
        let wanted = {
            let mut state = self.state();
            state.requests.push(format!("{} {body}", first.trim_end()));
            state.token.as_ref().map(|token| format!("Bearer {token}"))
        };
        if self.is(Mood::Down) {
            return;
        }
        let answer = match (wanted, token) {
            (Some(wanted), Some(token)) if wanted != token => Some((403, json!("Forbidden: invalid token"))),
            (Some(_), None) => Some((401, json!("Unauthorized: missing token"))),
            _ => self.answer(&first, &body),
        };
        let Some((status, json)) = answer else { return };
        let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        let head =
            format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
        let _ = (&stream).write_all((head + &text).as_bytes());
    }

    /// Returns the answer to a request, unless it gets lost.
    fn answer(&self, first: &str, body: &str) -> Option<(u16, Value)> {
        let mut words = first.split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let Some(rest) = path.strip_prefix("/api/jobs/") else {
            let version = json!({ "version": "4", "ray_version": "2.60.0", "ray_commit": "-" });
            return Some(if path == "/api/version" {
                (200, version)
            } else {
                (404, json!("404: Not Found"))
            });
        };
        let absent = |id: &str| Some((404, json!(format!("Job {id} does not exist"))));
        match (method, rest.split_once('/').unwrap_or((rest, ""))) {
            ("POST", ("", _)) => self.submit(&serde_json::from_str(body).unwrap()),
            ("GET", ("", _)) => {
                let driver = json!({ "type": "DRIVER", "job_id": "01000000", "status": "RUNNING" });
                let jobs: Vec<Value> = self.state().jobs.values().map(|job| job.entry.clone()).collect();
                Some((200, Value::from([jobs, vec![driver]].concat())))
            }
            ("GET", (id, _)) => match self.state().jobs.get(id) {
                Some(job) => Some((200, job.entry.clone())),
                None => absent(id),
            },
            ("POST", (id, "stop")) => {
                let Some(pid) = self.state().jobs.get(id).map(|job| job.pid) else { return absent(id) };
                if let Some(pid) = pid {
                    self.stop(id, pid);
                }
                Some((200, json!({ "stopped": true })))
            }
            ("DELETE", (id, _)) => {
                let mut state = self.state();
                match state.jobs.get(id).map(Job::is_ended) {
                    None => absent(id),
                    Some(false) => Some((500, json!("RuntimeError: it is not in a terminal state"))),
                    Some(true) => {
                        state.jobs.remove(id);
                        Some((200, json!({ "deleted": true })))
                    }
                }
            }
            _ => Some((405, json!("405: Method Not Allowed"))),
        }
    }

    fn submit(&self, body: &Value) -> Option<(u16, Value)> {
        if self.is(Mood::Busy) {
            return Some((503, json!("too many jobs")));
        }
        let id = body["submission_id"].as_str().unwrap().to_owned();
        {
            let mut state = self.state();
            if state.jobs.contains_key(&id) {
                let why = format!(
                    "Traceback\nValueError: Job with submission_id {id} already exists. Please use another."
                );
                return Some((500, json!(why)));
            }
            let message = "Job has not started yet. It may be waiting for resources (CPUs, GPUs).";
            let entry = json!({
                "type": "SUBMISSION", "submission_id": id, "status": "PENDING", "message": message, "start_time": 1000,
                "entrypoint": body["entrypoint"],
            });
            let entrypoint = body["entrypoint"].as_str().unwrap().to_owned();
            state.jobs.insert(id.clone(), Job { entrypoint, pid: None, entry });
        }
        let fails = if self.once(Mood::Expires) {
            Some("JOB_SUPERVISOR_ACTOR_START_TIMEOUT")
        } else {
            self.once(Mood::LosesNode).then_some("JOB_SUPERVISOR_ACTOR_DIED")
        };
        match fails {
            Some(why) => self.state().jobs.get_mut(&id).unwrap().ends("FAILED", Some(why), None),
            None if self.is(Mood::Hold) => {}
            None => self.run(&id),
        }
        if self.once(Mood::Mute) {
            return None;
        }
        wait_for("the answer", || !self.is(Mood::Slow));
        Some((200, json!({ "job_id": id, "submission_id": id })))
    }

    /// Runs an entrypoint, in a session of its own.
    fn run(&self, id: &str) {
        let mut state = self.state();
        let token = state.token.clone();
        let Some(job) = state.jobs.get_mut(id) else { return };
        let mut command = Command::new("sh");
        command.arg("-c").arg(&job.entrypoint).process_group(0).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", "/").env("RAY_JOB", "1");
        if let Some(token) = token {
            // As the nodes of a real one have it.
            command.env("RAY_AUTH_TOKEN", token);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        job.pid = i32::try_from(child.id()).ok();
        job.entry["status"] = json!("RUNNING");
        job.entry["message"] = json!("Job is currently running.");
        let (head, id) = (self.clone(), id.to_owned());
        std::thread::spawn(move || {
            let status = child.wait().unwrap();
            if let Some(job) = head.state().jobs.get_mut(&id) {
                match status.code() {
                    Some(0) => job.ends("SUCCEEDED", None, Some(0)),
                    code => {
                        job.ends("FAILED", Some("JOB_ENTRYPOINT_COMMAND_ERROR"), Some(code.unwrap_or(-9)))
                    }
                }
            }
        });
    }

    /// Ends all descendants of a job: by a signal, and after a moment by force.
    fn stop(&self, id: &str, pid: i32) {
        let all = tree(pid);
        all.iter().for_each(|pid| signal(*pid, rustix::process::Signal::TERM));
        let (head, id) = (self.clone(), id.to_owned());
        std::thread::spawn(move || {
            // A moment to end by themselves, whatever becomes of it.
            let moment = std::time::Instant::now() + std::time::Duration::from_secs(1);
            wait_for("their end", || std::time::Instant::now() > moment || !all.iter().any(is_alive));
            all.iter().for_each(|pid| signal(*pid, rustix::process::Signal::KILL));
            if let Some(job) = head.state().jobs.get_mut(&id) {
                job.entry["status"] = json!("RUNNING");
                job.ends("STOPPED", None, None);
            }
        });
    }
}

/// Returns a process and all its descendants.
fn tree(root: i32) -> Vec<i32> {
    let mut all = vec![root];
    let mut at = 0;
    while let Some(pid) = all.get(at) {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|child| child.parse::<i32>().ok()));
        at += 1;
    }
    all
}

fn signal(pid: i32, signal: rustix::process::Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
