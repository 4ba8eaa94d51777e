use super::*;

fn said(dialect: Dialect, output: &str) -> Stream {
    let mut stream = Stream::new(dialect, None);
    output.lines().for_each(|line| stream.take(&Line::Whole(line.as_bytes())));
    stream
}

fn calls(stream: &Stream) -> Vec<String> {
    let calls = stream.said.reports.iter().filter_map(|report| match report {
        Report::ToolCall { number, tool, arguments } => Some(format!("{number} {tool} {arguments}")),
        Report::ToolResult { number, result: Ok(text) } => Some(format!("{number} returned {text}")),
        Report::ToolResult { number, result: Err(text) } => Some(format!("{number} failed {text}")),
        _ => None,
    });
    calls.collect()
}

fn tasks(stream: &Stream) -> Vec<String> {
    let tasks = stream.said.reports.iter().filter_map(|report| match report {
        Report::Task { number, title, status } => Some(format!("{number} {title} {status:?}")),
        _ => None,
    });
    tasks.collect()
}

const CLAUDE: &str = r#"{"type":"system","subtype":"init","cwd":"/w","session_id":"s","tools":["Bash"],"model":"claude-sonnet-4-5"}
{"type":"assistant","message":{"id":"m1","model":"claude-sonnet-4-5","content":[{"type":"thinking","thinking":"hm"}],"usage":{"input_tokens":3,"cache_read_input_tokens":7,"output_tokens":1}}}
{"type":"assistant","message":{"id":"m1","model":"claude-sonnet-4-5","content":[{"type":"text","text":"I look."}],"usage":{"input_tokens":3,"cache_read_input_tokens":7,"output_tokens":5}}}
{"type":"assistant","message":{"id":"m1","model":"claude-sonnet-4-5","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}],"usage":{"input_tokens":3,"cache_read_input_tokens":7,"output_tokens":5}}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"a.py"}],"is_error":false}]}}
{"type":"assistant","message":{"id":"m2","model":"claude-sonnet-4-5","content":[{"type":"tool_use","id":"t2","name":"TodoWrite","input":{"todos":[{"content":"mend","status":"in_progress","activeForm":"mending"},{"content":"test","status":"pending"}]}}],"usage":{}}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","content":"no","is_error":true}]}}
{"type":"assistant","message":{"id":"m3","model":"claude-sonnet-4-5","content":[{"type":"text","text":"Done."}],"usage":{"input_tokens":1,"output_tokens":1}}}
"#;

#[test]
fn a_stream_of_claude_is_read_with_its_tokens_counted_once() {
    let result = r#"{"type":"result","subtype":"success","is_error":false,"result":"Done.","total_cost_usd":0.25,"usage":{},"modelUsage":{"claude-sonnet-4-5":{"inputTokens":4,"cacheReadInputTokens":8,"outputTokens":9,"costUSD":0.2},"claude-haiku-4-5":{"inputTokens":1,"outputTokens":1,"costUSD":0.05}}}"#;
    let stream = said(Dialect::Claude, &format!("{CLAUDE}{result}\n"));
    assert_eq!((stream.check(), stream.text()), (Ok(()), "Done."));
    assert_eq!(calls(&stream)[..2], [r#"1 Bash {"command":"ls"}"#, "1 returned a.py"]);
    assert_eq!(calls(&stream)[3], "2 failed no");
    assert_eq!(tasks(&stream), ["1 mend Running", "2 test Waiting"]);
    let spent: Vec<_> =
        stream.spent().iter().map(|it| (it.input_tokens, it.output_tokens, it.cost_usd)).collect();
    assert_eq!(spent, [(12, 9, Some(0.2)), (1, 1, Some(0.05))]);
}

#[test]
fn claude_ends_well_only_with_a_result_that_says_so() {
    let ends = |line: &str| said(Dialect::Claude, &format!("{CLAUDE}{line}")).check().unwrap_err();
    assert!(ends("").contains("ends without its last record (`result`)"));
    assert_eq!(
        ends(r#"{"type":"result","subtype":"success","is_error":true,"result":"Invalid API key"}"#),
        "claude failed: Invalid API key"
    );
    assert_eq!(
        ends(r#"{"type":"result","subtype":"error_max_turns","is_error":false,"num_turns":9}"#),
        "claude failed: error_max_turns"
    );
    assert!(ends(r#"{"type":"result"}"#).contains("it gave no reason"));
}

#[test]
fn the_tasks_of_claude_change_one_by_one() {
    let call = |id: u32, name: &str, input: &str| {
        format!(
            r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","id":"{id}","name":"{name}","input":{input}}}]}}}}"#
        )
    };
    let lines = [
        call(1, "TaskCreate", r#"{"subject":"mend"}"#),
        call(2, "TaskUpdate", r#"{"taskId":"1","status":"in_progress"}"#),
        call(3, "TaskUpdate", r#"{"taskId":"1","status":"completed"}"#),
        call(4, "TaskUpdate", r#"{"taskId":"9","status":"completed"}"#),
    ];
    let stream = said(Dialect::Claude, &lines.join("\n"));
    assert_eq!(tasks(&stream), ["1 mend Waiting", "1 mend Running", "1 mend Completed"]);
}

const CODEX: &str = r#"{"type":"thread.started","thread_id":"t"}
{"type":"turn.started"}
{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Look**"}}
{"type":"item.started","item":{"id":"item_1","type":"todo_list","items":[{"text":"mend","completed":false},{"text":"test","completed":false}]}}
{"type":"item.started","item":{"id":"item_2","type":"command_execution","command":"bash -lc ls","aggregated_output":"","exit_code":null,"status":"in_progress"}}
{"type":"item.completed","item":{"id":"item_2","type":"command_execution","command":"bash -lc ls","aggregated_output":"no","exit_code":2,"status":"failed"}}
{"type":"item.completed","item":{"id":"item_3","type":"file_change","changes":[{"path":"a.py","kind":"update"}],"status":"completed"}}
{"type":"item.updated","item":{"id":"item_1","type":"todo_list","items":[{"text":"mend","completed":true},{"text":"test","completed":false}]}}
{"type":"error","message":"Reconnecting... 1/5"}
{"type":"item.completed","item":{"id":"item_4","type":"agent_message","text":"Mended."}}
"#;

#[test]
fn a_stream_of_codex_is_read() {
    let end = r#"{"type":"turn.completed","usage":{"input_tokens":100,"cached_input_tokens":50,"output_tokens":7}}"#;
    let stream = said(Dialect::Codex, &format!("{CODEX}{end}"));
    assert_eq!((stream.check(), stream.text()), (Ok(()), "Mended."));
    assert_eq!(
        calls(&stream),
        [
            "1 shell bash -lc ls",
            "1 failed exit code 2: no",
            r#"2 file_change [{"path":"a.py","kind":"update"}]"#,
            "2 returned completed"
        ]
    );
    assert_eq!(tasks(&stream), ["1 mend Running", "2 test Waiting", "1 mend Completed", "2 test Running"]);
    assert_eq!((stream.spent()[0].input_tokens, stream.spent()[0].cost_usd), (100, None));

    let ends = |line: &str| said(Dialect::Codex, &format!("{CODEX}{line}")).check().unwrap_err();
    assert!(ends("").contains("without its last record (`turn.completed`)"));
    assert_eq!(ends(r#"{"type":"turn.failed","error":{"message":"quota"}}"#), "codex failed: quota");
}

#[test]
fn a_stream_of_gemini_is_read() {
    let stream = r#"{"type":"init","session_id":"s","model":"gemini-2.5-pro"}
{"type":"message","role":"user","content":"mend it"}
{"type":"message","role":"assistant","content":"I lo","delta":true}
{"type":"message","role":"assistant","content":"ok.","delta":true}
{"type":"tool_use","tool_name":"read_file","tool_id":"r1","parameters":{"path":"a"}}
{"type":"tool_result","tool_id":"r1","status":"error","error":{"type":"x","message":"no file"}}
{"type":"error","severity":"warning","message":"loop"}
{"type":"message","role":"assistant","content":"Do","delta":true}
{"type":"message","role":"assistant","content":"ne.","delta":true}
"#;
    let good = r#"{"type":"result","status":"success","stats":{"total_tokens":9,"input_tokens":7,"output_tokens":2}}"#;
    let ended = said(Dialect::Gemini, &format!("{stream}{good}"));
    assert_eq!((ended.check(), ended.text()), (Ok(()), "Done."));
    assert_eq!(calls(&ended), [r#"1 read_file {"path":"a"}"#, "1 failed no file"]);
    assert_eq!((ended.spent()[0].model.as_str(), ended.spent()[0].output_tokens), ("gemini-2.5-pro", 2));
    let bad =
        r#"{"type":"result","status":"error","error":{"type":"FatalTurnLimitedError","message":"turns"}}"#;
    assert_eq!(said(Dialect::Gemini, &format!("{stream}{bad}")).check().unwrap_err(), "gemini failed: turns");
    assert!(said(Dialect::Gemini, stream).check().unwrap_err().contains("`result`"));
}

#[test]
fn the_plain_dialect_has_the_events_of_commands_and_a_result() {
    let stream = r#"{"type":"plan","text":"1. look"}
{"type":"task","number":1,"title":"look","status":"completed"}
{"type":"tool_call","number":1,"tool":"ls","arguments":{"a":1}}
{"type":"tool_result","number":1,"text":"x"}
{"type":"text","text":"Do"}
{"type":"text","text":"ne."}
{"type":"prediction","provider":"local","model":"m","input_tokens":5,"cost_usd":0.5}
"#;
    let ended = said(Dialect::Plain, &format!("{stream}{}", r#"{"type":"result"}"#));
    assert_eq!((ended.check(), ended.text()), (Ok(()), "Done."));
    assert_eq!(calls(&ended), [r#"1 ls {"a":1}"#, "1 returned x"]);
    let given = said(Dialect::Plain, &format!("{stream}{}", r#"{"type":"result","text":"All."}"#));
    assert_eq!(given.text(), "All.");
    let failed = said(Dialect::Plain, r#"{"type":"result","error":"no"}"#);
    assert_eq!(failed.check().unwrap_err(), "the agent failed: no");
    assert!(said(Dialect::Plain, r#"{"type":"result","text":1}"#).check().unwrap_err().contains("line 1"));
    for (first, next) in [
        (r#"{"type":"result","text":"A"}"#, r#"{"type":"text","text":"later"}"#),
        (r#"{"type":"result","text":"A"}"#, r#"{"type":"progress","value":1}"#),
        (r#"{"type":"result","text":"A"}"#, r#"{"type":"result","text":"B"}"#),
    ] {
        let more = said(Dialect::Plain, &format!("{first}\n{next}")).check().unwrap_err();
        assert!(
            more.ends_with("line 2 of its output can't be read: it follows `result`, which is the last line"),
            "{more}"
        );
    }
    let failed =
        said(Dialect::Plain, "{\"type\":\"result\",\"error\":\"bad\"}\n{\"type\":\"result\",\"text\":\"B\"}");
    assert_eq!(failed.check().unwrap_err(), "the agent failed: bad");
    assert!(said(Dialect::Plain, r#"{"type":"tool"}"#).check().unwrap_err().contains("not known"));
}

#[test]
fn what_is_not_of_the_dialect_fails_by_name_and_the_rest_still_counts() {
    let good = r#"{"type":"result","subtype":"success","is_error":false,"result":"Done."}"#;
    for dialect in ["claude", "codex", "gemini", "plain"] {
        let dialect = Dialect::of(dialect).unwrap();
        for (garbage, why) in [
            ("Loading \u{1b}[2J…", "it is not JSON: `Loading"),
            ("[1]", "not a JSON object"),
            ("{\"type\":\"res", "not JSON"),
            ("{}", "no \"type\""),
        ] {
            let error = said(dialect, garbage).check().unwrap_err();
            assert!(error.contains("line 1 of its output can't be read") && error.contains(why), "{error}");
            assert!(!error.contains('\u{1b}'), "{error}");
        }
        assert!(said(dialect, "").check().unwrap_err().contains("wrote nothing"));
    }
    let stream = said(Dialect::Claude, &format!("oops\n{good}"));
    assert!(stream.check().unwrap_err().starts_with("claude: line 1"));
    assert_eq!(stream.text(), "Done.");
    let mut long = said(Dialect::Claude, good);
    long.take(&Line::TooLong);
    assert!(long.check().unwrap_err().contains("longer than 16 MiB"));
}

#[test]
fn a_prompt_never_becomes_an_option() {
    for word in ["claude", "codex", "gemini", "plain"] {
        let (_, after) = Dialect::of(word).unwrap().arguments(Some("m"), "--help");
        assert!(after.is_empty() || after[0] == "--" || after[0] == "--prompt=--help", "{word}: {after:?}");
    }
}

/// Lines in which an agent of a dialect says something, and in which it ends with sums.
fn turn(dialect: Dialect, text: &str, tokens: u64) -> [String; 2] {
    match dialect {
        Dialect::Claude => [
            format!(r#"{{"type":"assistant","message":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#),
            format!(
                r#"{{"type":"result","subtype":"success","is_error":false,"result":"{text}","total_cost_usd":0.{tokens},"modelUsage":{{"m":{{"inputTokens":{tokens},"costUSD":0.{tokens}}}}}}}"#
            ),
        ],
        Dialect::Codex => [
            format!(r#"{{"type":"item.completed","item":{{"type":"agent_message","text":"{text}"}}}}"#),
            format!(r#"{{"type":"turn.completed","usage":{{"input_tokens":{tokens}}}}}"#),
        ],
        Dialect::Gemini => [
            format!(r#"{{"type":"message","role":"assistant","content":"{text}"}}"#),
            format!(
                r#"{{"type":"result","status":"success","stats":{{"models":{{"m":{{"input_tokens":{tokens}}}}}}}}}"#
            ),
        ],
        Dialect::Plain => unreachable!("nothing follows its result"),
    }
}

#[test]
fn an_end_that_is_said_twice_is_not_counted_twice_and_contradicts_nothing() {
    for dialect in [Dialect::Claude, Dialect::Codex, Dialect::Gemini] {
        let [said_first, first] = turn(dialect, "One.", 10);
        let [said_next, next] = turn(dialect, "Two.", 25);
        let whole = |lines: &[&str]| {
            let stream = said(dialect, &lines.join("\n"));
            let input: u64 = stream.spent().iter().map(|it| it.input_tokens).sum();
            let cost: f64 = stream.spent().iter().filter_map(|it| it.cost_usd).sum();
            (stream.check(), stream.text().to_owned(), input, (cost * 100.0).round())
        };
        let costs = |cost: f64| if dialect == Dialect::Claude { cost } else { 0.0 };
        let again = whole(&[&said_first, &first, &first]);
        assert_eq!(again, (Ok(()), "One.".into(), 10, costs(10.0)), "{dialect:?}: it says the same");
        let turns = whole(&[&said_first, &first, &said_next, &next]);
        assert_eq!(
            turns,
            (Ok(()), "Two.".into(), 25, costs(25.0)),
            "{dialect:?}: the sums are those of both"
        );
        let open = whole(&[&said_first, &first, &said_next]).0.unwrap_err();
        assert!(open.contains("went on after its last record"), "{open}");
        let failed = match dialect {
            Dialect::Claude => r#"{"type":"result","subtype":"error_during_execution","is_error":true}"#,
            Dialect::Codex => r#"{"type":"turn.failed","error":{"message":"error_during_execution"}}"#,
            _ => r#"{"type":"result","status":"error","error":{"message":"error_during_execution"}}"#,
        };
        for lines in [[&said_first, first.as_str(), failed], [&said_first, failed, &first]] {
            let (check, _, input, _) = whole(&lines);
            assert!(
                check.unwrap_err().contains("error_during_execution"),
                "{dialect:?}: a failure stays one"
            );
            assert_eq!(input, 10);
        }
    }
    let [said_first, first] = turn(Dialect::Claude, "One.", 10);
    let [_, other] = turn(Dialect::Claude, "Two.", 25);
    let stream = said(Dialect::Claude, &format!("{said_first}\n{first}\n{other}"));
    assert!(stream.check().unwrap_err().contains("for a second time how it ended, with another answer"));
    assert_eq!(stream.text(), "One.");
    let old = r#"{"type":"result","subtype":"success","result":"One.","total_cost_usd":0.5}"#;
    let stream = said(Dialect::Claude, &format!("{said_first}\n{old}\n{old}"));
    assert_eq!((stream.check(), stream.spent()[0].cost_usd), (Ok(()), Some(0.5)));
}
