//! Files of nodes: permissions, links, and what is read of them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::Fanlight;

/// Builds a program, runs it, and outputs it.
const BUILD: &str = "nodes:
  build:
    run: |
      printf '#!/bin/sh\\necho works\\n' > tool.sh; chmod 755 tool.sh; echo plain > plain.txt
    outputs: { tool: { path: tool.sh, type: file }, plain: { path: plain.txt, type: file } }
  test:
    run: test ! -x \"$plain\"; \"$tool\"
    with: { tool: \"${{ build.tool }}\", plain: \"${{ build.plain }}\" }
outputs: { tool: \"${{ build.tool }}\", plain: \"${{ build.plain }}\", said: \"${{ test.stdout }}\" }
";

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o111 != 0
}

#[test]
fn a_program_that_was_built_can_be_run_by_the_next_node_and_where_it_is_saved() {
    let fanlight = Fanlight::new();
    fanlight.file("build.yaml", BUILD);
    fanlight.say(&["run", "build.yaml", "--out", "out"]).exits(0);
    let saved = |name: &str| fanlight.path("out/build-1").join(name);
    assert_eq!(std::fs::read_to_string(saved("said.txt")).unwrap(), "works");
    assert!(is_executable(&saved("tool.sh")) && !is_executable(&saved("plain.txt")));
    let assets = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
    let tool = assets.iter().find(|asset| asset["name"] == "tool.sh").unwrap();
    fanlight.say(&["assets", "get", tool["id"].as_str().unwrap(), "again.sh"]).exits(0);
    assert!(is_executable(&fanlight.path("again.sh")));
    // As a param of the next workflow it stays executable.
    let next = "params: { tool: { type: file } }
nodes: { try: { run: '\"$tool\"', with: { tool: '${{ params.tool }}' } } }
outputs: { said: '${{ try.stdout }}' }
";
    fanlight.file("next.yaml", next);
    let said = fanlight.say(&["run", "next.yaml", "-p", "tool=again.sh"]).exits(0);
    assert!(said.out.contains("works"), "{}", said.out);
}

/// Links to files within the folder, as a file, by a pattern and in a folder.
const LINKS: &str = "nodes:
  one:
    run: mkdir o; echo real > o/real.dat; ln -s o/real.dat x.dat
    outputs: { f: { path: x.dat, type: file } }
  some:
    run: mkdir o; echo real > o/real.dat; ln -s o/real.dat x1.dat; echo two > x2.dat
    outputs: { f: { glob: 'x*.dat', type: file } }
  folder:
    run: mkdir -p o/sub; echo a > o/a.txt; ln -s a.txt o/l.txt; ln -s ../a.txt o/sub/up.txt
    outputs: { f: { path: o, type: dir } }
  read:
    with: { one: '${{ one.f }}', some: '${{ some.f }}', folder: '${{ folder.f }}' }
    run: cat \"$one\" \"$some_dir\"/*; cd \"$folder\"; cat l.txt sub/up.txt
outputs: { read: '${{ read.stdout }}', some: '${{ some.f }}', folder: '${{ folder.f }}' }
";

#[test]
fn a_link_within_the_folder_is_the_file_that_it_leads_to() {
    let fanlight = Fanlight::new();
    fanlight.file("links.yaml", LINKS).say(&["run", "links.yaml", "--out", "out"]).exits(0);
    let saved = |name: &str| std::fs::read_to_string(fanlight.path("out/links-1").join(name)).unwrap();
    assert_eq!(saved("read.txt"), "real\nreal\ntwo\na\na");
    assert_eq!(saved("some/x1.dat") + &saved("some/x2.dat"), "real\ntwo\n");
    assert_eq!(saved("folder/l.txt") + &saved("folder/sub/up.txt"), "a\na\n");
}

#[test]
fn a_link_that_leads_nowhere_or_out_of_the_folder_is_an_error_by_name() {
    let fanlight = Fanlight::new();
    let node = |name: &str, target: &str, output: &str| {
        format!(
            "  {name}: {{ run: \"mkdir o; echo y > x2.dat; ln -s {target} x1.dat; cp -P x1.dat o/\", outputs: {{ f: {output} }} }}\n"
        )
    };
    let (one, some, folder) =
        ("{ path: x1.dat, type: file }", "{ glob: 'x*.dat', type: file }", "{ path: o, type: dir }");
    let mut file = "nodes:\n".to_owned();
    for (kind, output) in [("one", one), ("some", some), ("folder", folder)] {
        file += &node(&format!("out_{kind}"), "/etc/passwd", output);
        file += &node(&format!("no_{kind}"), "nowhere", output);
    }
    let said = fanlight.file("links.yaml", &file).say(&["run", "links.yaml"]).exits(1);
    for (kind, path) in [("one", "x1.dat"), ("some", "x1.dat"), ("folder", "o/x1.dat")] {
        for (from, why) in
            [("out", "that leads out of the folder"), ("no", "to `nowhere`, which does not exist")]
        {
            let sentence = format!("`{from}_{kind}` failed: output `f`: `{path}`: it is a link {why}");
            assert!(said.err.contains(&sentence), "no `{sentence}` in:\n{}", said.err);
        }
    }
    assert_eq!(fanlight.say(&["assets", "list", "--json"]).exits(0).out, "", "nothing of them is a product");
}

#[test]
fn the_text_of_a_pdf_is_read_and_a_cut_one_is_refused_by_its_name() {
    let fanlight = Fanlight::new();
    let content = "BT /F 12 Tf 20 100 Td (Two lamps, 40 pounds) Tj ET";
    let pdf = format!(
        "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n\
         2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
         3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>\nendobj\n\
         4 0 obj\n<< /Length {} >>\nstream\n{content}\nendstream\nendobj\n\
         5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n\
         trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n0\n%%EOF\n",
        content.len()
    );
    fanlight.file("invoice.pdf", &pdf);
    fanlight.file("cut.pdf", &pdf[..pdf.len() - 60]);
    fanlight.file(
        "read.yaml",
        "params:\n  file: { type: file }\nnodes:\n  read:\n    uses: pdf.text\n    with: { file: \"${{ params.file }}\" }\noutputs:\n  text: \"${{ read.text }}\"\n",
    );
    let said = fanlight.say(&["run", "read.yaml", "-p", "file=invoice.pdf"]).exits(0);
    assert!(said.out.contains("Two lamps, 40 pounds"), "{}", said.out);
    fanlight
        .say(&["run", "read.yaml", "-p", "file=cut.pdf"])
        .exits(1)
        .complains("`cut.pdf`: it is not a whole PDF");
}

#[test]
fn empty_folders_arrive_wherever_a_folder_goes() {
    let fanlight = Fanlight::new();
    let nodes = "params: { given: { type: dir } }
nodes:
  make: { run: 'mkdir -p out/logs/old; echo x > out/x.txt', outputs: { out: { path: out, type: dir } } }
  look: { with: { made: '${{ make.out }}', given: '${{ params.given }}' }, run: 'ls -d \"$made/logs/old\" \"$given/empty\" | wc -l' }
outputs: { out: '${{ make.out }}', count: '${{ look.stdout }}' }
";
    fanlight.file("folders.yaml", nodes);
    std::fs::create_dir_all(fanlight.path("given/empty")).unwrap();
    fanlight.say(&["run", "folders.yaml", "-p", "given=given", "--out", "saved"]).exits(0);
    let run = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(run["outputs"]["count"].as_str().unwrap().trim(), "2");
    let saved = std::fs::read_dir(fanlight.path("saved")).unwrap().next().unwrap().unwrap().path();
    assert!(saved.join("out/logs/old").is_dir(), "{saved:?}");
}
