//! Files in a workflow keep their execute permission.

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
