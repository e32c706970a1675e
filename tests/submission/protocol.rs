//! What is sent to the service: files, paths and addresses.

use evenhand::Client;

use super::{PROMPTS, Scene, assert_answered};

#[test]
fn a_file_of_requests_is_as_the_service_wants_it() {
    let scene = Scene::new();
    scene.cell(&["a nurse", "a nurse"]).submit().unwrap();
    let world = scene.api.world();
    let file = String::from_utf8(world.files["file-1"].clone()).unwrap();
    let lines: Vec<serde_json::Value> = file
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(file.starts_with('{') && file.ends_with("}\n"));
    assert_ne!(lines[0]["custom_id"], lines[1]["custom_id"]);
    assert_eq!(lines[0]["url"], "/v1/chat/completions");
    assert_eq!(lines[0]["body"]["model"], "nurses-batch");
    assert_eq!(lines[0]["body"]["max_tokens"], 100);
    assert_eq!(
        world.calls,
        [
            "POST /openai/v1/files",
            "GET /openai/v1/files/file-1",
            "POST /openai/v1/batches",
        ]
    );
}

#[test]
fn the_paths_are_those_of_the_protocol() {
    let scene = Scene::new();
    let dated = Client::builder()
        .endpoint(scene.api.url())
        .api_key("very-secret-key");
    let dated = dated
        .deployment("d")
        .api_version("2024-10-21")
        .build()
        .unwrap();
    let open = Client::builder().openai_base_url(format!("{}/v1", scene.api.url()));
    let open = open
        .api_key("very-secret-key")
        .deployment("d")
        .build()
        .unwrap();
    for (client, files, endpoint, url) in [
        (
            dated,
            "POST /openai/files?api-version=2024-10-21",
            "/chat/completions",
            "/chat/completions",
        ),
        (
            open,
            "POST /v1/files",
            "/v1/chat/completions",
            "/v1/chat/completions",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let batch = client
            .batch(PROMPTS)
            .journal(folder.path().join("run.jsonl"));
        let answers = batch.submit().unwrap();
        {
            let world = scene.api.world();
            assert_eq!(world.count(files), 1, "{:?}", world.calls);
            let made = world.batches.last().unwrap();
            assert_eq!(made.request["endpoint"], endpoint);
            let file = String::from_utf8(world.files[&made.input].clone()).unwrap();
            assert_eq!(file.matches(&format!("\"url\":\"{url}\"")).count(), 4);
        }
        assert_answered(&answers.collect().unwrap(), &PROMPTS);
    }
}
