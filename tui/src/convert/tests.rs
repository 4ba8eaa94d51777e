//! Conversions of workflows in the formats of the other tools.

use fanlight_shared::document;
use fanlight_shared::workflow::Workflow;

use super::{Draft, convert};

/// Converts a file, and checks what is written.
fn converted(text: &str) -> (Draft, Workflow) {
    let draft = convert(&serde_json::from_str(text).unwrap(), "sample").unwrap();
    let document = draft.document();
    match document::read(&document, &crate::embedded::catalogue()) {
        Ok(checked) => (draft, checked.workflow),
        Err(problems) => panic!("{problems:?}\n{document}"),
    }
}

#[test]
fn an_agent_with_a_template_becomes_a_chat() {
    let (draft, workflow) = converted(include_str!("samples/ad_copy.json"));
    assert_eq!(draft.lost, [""; 0]);
    insta::assert_snapshot!(draft.document());
    assert_eq!((workflow.nodes.len(), workflow.outputs.len()), (2, 1));
}

#[test]
fn items_that_are_sent_one_by_one_become_each_and_what_is_lost_is_listed() {
    let (draft, _) = converted(include_str!("samples/board.json"));
    insta::assert_snapshot!(draft.document());
}

#[test]
fn the_readers_of_a_bypassed_node_take_its_input() {
    let text = r#"{"nodes": [
        {"id": "s", "type": "nodetool.input.StringInput", "data": {"name": "subject", "value": "a fox"}},
        {"id": "upper", "type": "nodetool.text.ToUppercase", "ui_properties": {"bypassed": true}, "data": {}},
        {"id": "joins", "type": "nodetool.text.Concat", "ui_properties": {"bypassed": true}, "data": {}},
        {"id": "o", "type": "nodetool.output.Output", "data": {"name": "words"}},
        {"id": "lost", "type": "nodetool.output.Output", "data": {"name": "both"}}],
        "edges": [
        {"source": "s", "sourceHandle": "output", "target": "upper", "targetHandle": "text"},
        {"source": "upper", "sourceHandle": "output", "target": "o", "targetHandle": "value"},
        {"source": "s", "sourceHandle": "output", "target": "joins", "targetHandle": "a"},
        {"source": "upper", "sourceHandle": "output", "target": "joins", "targetHandle": "b"},
        {"source": "joins", "sourceHandle": "output", "target": "lost", "targetHandle": "value"}]}"#;
    let draft = convert(&serde_json::from_str(text).unwrap(), "sample").unwrap();
    assert_eq!(draft.outputs["words"], "params.subject");
    assert_eq!(draft.nodes.len(), 0);
    assert_eq!(
        draft.lost,
        [
            "node `upper` (nodetool.text.ToUppercase): it is bypassed, so that its readers take its input",
            "node `joins` (nodetool.text.Concat): it is bypassed, so that its readers take its input",
            "the edge from `joins` (output) to `lost` (value): there is no such output",
            "output `both`: nothing is connected to it",
        ]
    );
}

#[test]
fn a_node_in_a_group_that_only_arranges_the_picture_is_converted_and_one_in_a_loop_is_listed() {
    let text = r#"{"nodes": [
        {"id": "frame", "type": "nodetool.workflows.base_node.Group"},
        {"id": "loop", "type": "nodetool.group.Loop", "parent_id": "frame"},
        {"id": "a", "type": "nodetool.constant.String", "parent_id": "frame", "data": {"value": "fine"}},
        {"id": "b", "type": "nodetool.constant.String", "parent_id": "loop", "data": {"value": "fine"}},
        {"id": "c", "type": "nodetool.constant.String", "parent_id": "gone", "data": {"value": "fine"}}],
        "edges": []}"#;
    let draft = convert(&serde_json::from_str(text).unwrap(), "sample").unwrap();
    assert_eq!(draft.params.len(), 1);
    assert_eq!(
        draft.lost,
        [
            "node `loop` (nodetool.group.Loop): there is no such node type here",
            "node `b` (nodetool.constant.String): it is in the group `loop` (nodetool.group.Loop), which runs it in its \
             own way",
            "node `c` (nodetool.constant.String): it is in the group `gone`, which the file lacks",
        ]
    );
}

#[test]
fn a_graph_of_comfyui_becomes_a_run_on_its_server_with_its_literals_as_params() {
    let (draft, workflow) = converted(include_str!("samples/fox_api.json"));
    insta::assert_snapshot!(draft.document());
    assert!(workflow.params.len() > 10);
    let body = format!(r#"{{"prompt": {}}}"#, include_str!("samples/fox_api.json"));
    assert_eq!(converted(&body).0.document(), draft.document());
}

#[test]
fn a_workflow_of_comfyui_s_editor_becomes_the_graph_that_its_export_has() {
    let (draft, _) = converted(include_str!("samples/fox_editor.json"));
    insta::assert_snapshot!(draft.document());
}

#[test]
fn the_nodes_of_a_subgraph_take_its_place() {
    let text = r#"{"nodes": [
        {"id": 4, "type": "CheckpointLoaderSimple", "inputs": [], "widgets_values": ["v1.safetensors"]},
        {"id": 7, "type": "aaaaaaaa-0000-4000-8000-000000000001", "title": "Paint", "inputs": [
            {"name": "words", "type": "STRING", "link": null}, {"name": "model", "type": "MODEL", "link": 1}]},
        {"id": 8, "type": "aaaaaaaa-0000-4000-8000-000000000001", "mode": 2, "inputs": []},
        {"id": 9, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 2}], "widgets_values": ["fox"]},
        {"id": 10, "type": "aaaaaaaa-0000-4000-8000-00000000000f", "title": "Gone", "inputs": []}],
        "links": [[1, 4, 0, 7, 1, "MODEL"], [2, 7, 0, 9, 0, "IMAGE"]],
        "definitions": {"subgraphs": [
        {"id": "aaaaaaaa-0000-4000-8000-000000000001", "name": "Paint", "inputs": [{"name": "words"}, {"name": "model"}],
         "nodes": [
            {"id": 1, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "type": "CLIP", "link": null}], "widgets_values": ["a fox"]},
            {"id": 2, "type": "aaaaaaaa-0000-4000-8000-000000000002", "inputs": [{"name": "m", "type": "MODEL", "link": 11}]}],
         "links": [{"id": 11, "origin_id": -10, "origin_slot": 1, "target_id": 2, "target_slot": 0, "type": "MODEL"},
                   {"id": 12, "origin_id": 2, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"}]},
        {"id": "aaaaaaaa-0000-4000-8000-000000000002", "name": "Deep", "inputs": [{"name": "m"}],
         "nodes": [{"id": 1, "type": "KSamplerSelect", "inputs": [{"name": "model", "type": "MODEL", "link": 21}], "widgets_values": ["euler"]}],
         "links": [{"id": 21, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "MODEL"},
                   {"id": 22, "origin_id": 1, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"}]}]}}"#;
    let (draft, _) = converted(text);
    let graph = &draft.nodes.values().next().unwrap().with["graph"];
    let mut nodes: Vec<&String> = graph.as_object().unwrap().keys().collect();
    nodes.sort_unstable();
    assert_eq!(nodes, ["4", "7:1", "7:2:1", "9"]);
    assert_eq!(graph["7:2:1"]["inputs"]["model"], serde_json::json!(["4", 0]));
    assert_eq!(graph["9"]["inputs"]["images"], serde_json::json!(["7:2:1", 0]));
    assert_eq!(draft.lost, ["node 10 (`Gone`) is a subgraph that the file does not have"]);
}

#[test]
fn code_and_conditions_are_converted_and_what_code_can_t_do_here_is_listed() {
    let text = r#"{"nodes": [
        {"id": "w", "type": "nodetool.input.StringInput", "data": {"name": "words", "value": "a b"}},
        {"id": "c", "type": "nodetool.code.Code", "data": {"code": "await fetch(inputs.url);\nreturn { count: inputs.words.split(' ').length, many: true };",
            "timeout": 30, "allow_local_network": false, "packages": ["lodash"]},
         "dynamic_properties": {"words": "", "url": "https://example.com"},
         "dynamic_outputs": {"count": {"type": "int", "type_args": []}, "many": {"type": "bool"}}},
        {"id": "if", "type": "nodetool.control.If", "data": {"condition": false, "value": null}},
        {"id": "yes", "type": "nodetool.output.Output", "data": {"name": "yes"}},
        {"id": "no", "type": "nodetool.output.Output", "data": {"name": "no"}},
        {"id": "pic", "type": "nodetool.code.Code", "data": {"code": "return {}"}, "dynamic_outputs": {"image": {"type": "image"}}},
        {"id": "case", "type": "nodetool.code.Code", "data": {"code": "return {}"}, "dynamic_outputs": {"fooBar": {"type": "str"}}},
        {"id": "none", "type": "nodetool.code.Code", "data": {"code": " "}}],
        "edges": [
        {"source": "w", "sourceHandle": "output", "target": "c", "targetHandle": "words"},
        {"source": "c", "sourceHandle": "many", "target": "if", "targetHandle": "condition"},
        {"source": "c", "sourceHandle": "count", "target": "if", "targetHandle": "value"},
        {"source": "if", "sourceHandle": "if_true", "target": "yes", "targetHandle": "value"},
        {"source": "if", "sourceHandle": "if_false", "target": "no", "targetHandle": "value"}]}"#;
    let (draft, _) = converted(text);
    insta::assert_snapshot!(draft.document());
}

#[test]
fn other_files_are_refused() {
    for other in ["{}", "[]", "3", r#"{"nodes": []}"#, r#"{"a": {"class_type": "X"}, "b": 1}"#] {
        let error = convert(&serde_json::from_str(other).unwrap(), "sample").unwrap_err();
        assert_eq!(error, "it is neither a workflow of NodeTool nor a graph of ComfyUI", "{other}");
    }
}

#[test]
fn circles_and_wild_values_end_in_a_list_not_in_a_crash() {
    let circle = r#"{"nodes": [{"id": "a", "type": "nodetool.control.Reroute"}, {"id": "b", "type": "nodetool.text.Join"}, {"id": 3}, 4],
        "edges": [{"source": "a", "sourceHandle": "output", "target": "b", "targetHandle": "strings"},
                  {"source": "b", "sourceHandle": "output", "target": "a", "targetHandle": "value"}, {}, null]}"#;
    let draft = convert(&serde_json::from_str(circle).unwrap(), "x").unwrap();
    assert!(!draft.lost.is_empty());
    let links = r#"{"nodes": [{"id": 1, "type": "Reroute", "inputs": [{"link": 1}]}, {"id": 2, "type": "A", "inputs": [{"name": "x", "link": 1}]}],
        "links": [[1, 1, 0, 1, 0, "*"], [], null, {"id": 2}]}"#;
    assert!(convert(&serde_json::from_str(links).unwrap(), "x").is_ok());
    let itself = r#"{"nodes": [{"id": 1, "type": "g", "inputs": [{"name": "x", "link": 1}]}, {"id": 2, "type": "A", "inputs": [{"name": "x", "link": 2}]}],
        "links": [[2, 1, 0, 2, 0, "*"]], "definitions": {"subgraphs": [{"id": "g", "inputs": [{"name": "x"}],
        "nodes": [{"id": 1, "type": "g", "inputs": [{"name": "x", "link": 1}]}, {"id": 2, "type": "g"}],
        "links": [[1, -10, 0, 1, 0, "*"], [2, -10, 0, -20, 0, "*"]]}]}}"#;
    let draft = convert(&serde_json::from_str(itself).unwrap(), "x").unwrap();
    assert!(draft.lost.iter().any(|lost| lost.contains("too deep")), "{:?}", draft.lost);
}

#[test]
fn literals_that_look_like_expressions_or_names_of_inputs_stay_texts() {
    let text = r#"{"nodes": [
        {"id": "s", "type": "nodetool.constant.String", "data": {"value": "secret"}},
        {"id": "a", "type": "nodetool.agents.Agent", "data": {"prompt": "${{ params.s }}", "system": "\u0000prompt",
            "model": {"provider": "openai", "id": "${{ params.s }}"}}},
        {"id": "b", "type": "nodetool.agents.Agent", "data": {"system": "\u0000prompt"}},
        {"id": "t", "type": "nodetool.text.Template", "data": {"string": "${{ x }} }}"}},
        {"id": "d", "type": "nodetool.text.Template", "data": {"string": "{{ x }}{{ y }}"},
            "dynamic_properties": {"x": "${{ params.s }}", "y": "\u0000x"}}],
        "edges": [{"source": "s", "sourceHandle": "output", "target": "b", "targetHandle": "prompt"}]}"#;
    let draft = convert(&serde_json::from_str(text).unwrap(), "sample").unwrap();
    let given = |node: &str, input: &str| draft.nodes[node].with[input].as_str().unwrap();
    assert_eq!(given("chat", "prompt"), "$ {{ params.s }}");
    assert_eq!((given("chat", "system"), given("chat", "model")), ("prompt", "$ {{ params.s }}"));
    assert_eq!((given("chat_2", "prompt"), given("chat_2", "system")), ("${{ params.s }}", "prompt"));
    assert_eq!((given("template_2", "x"), given("template_2", "y")), ("$ {{ params.s }}", "x"));
    assert!(draft.lost.iter().any(|it| it == "`system` of node `b` begins with a NUL, which is left out"));
}
