//! Questions on the wire.

use std::collections::HashSet;
use std::time::Duration;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::question::Question;
use fanlight_shared::rpc::questions::{List, OpenQuestion};
use fanlight_shared::rpc::runs::{Answer, Get, ParamSet, Start};
use fanlight_shared::rpc::{Done, ErrorCode, Page, RpcError};
use fanlight_shared::value::Value;

use super::*;

/// Returns a run with `items` open questions.
async fn asking(client: &Client, items: u32) -> Run {
    let document = format!(
        "id: 0199aaaa-0000-7000-8000-0000000000ab\nnodes:\n  \
         ask: {{ uses: human.approve, each: '${{{{ range({items}) }}}}', with: {{ question: 'No. ${{{{ item }}}}?' }} }}"
    );
    let sets = vec![ParamSet::default()];
    let start = Start { document, sets, request_key: RunId::new().to_string(), ..Start::default() };
    let run = client.call(start).await.unwrap().runs[0].id;
    let mut look = tokio::time::interval(Duration::from_millis(1));
    let asked = async {
        loop {
            let run = client.call(Get { run: run.to_string() }).await.unwrap().run;
            assert!(!run.state.is_ended(), "{run:?}");
            if run.asks.as_ref().is_some_and(|asks| asks.count == items) {
                return run;
            }
            look.tick().await;
        }
    };
    in_time("the questions", asked).await
}

async fn page(client: &Client, list: List) -> Page<OpenQuestion> {
    client.call(list).await.unwrap()
}

fn refused(answer: Result<Done, ClientError>) -> RpcError {
    match answer {
        Err(ClientError::Rpc(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn open_questions_come_in_pages_until_they_are_answered() {
    let served = Served::new().await;
    let client = served.client().await;
    let (many, one) = (asking(&client, 150).await, asking(&client, 1).await);
    let (mut seen, mut list) = (HashSet::new(), List { limit: Some(60), ..List::default() });
    loop {
        let page = page(&client, list.clone()).await;
        assert!(page.rows.len() <= 60);
        seen.extend(page.rows.iter().map(|row| (row.run_id, row.item)));
        list.cursor = page.cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 151);
    let rows = page(&client, List { run_id: Some(one.id), ..List::default() }).await.rows;
    let [open] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((open.run.clone(), open.node.as_str(), open.item), (one.name(), "ask", ItemPath::item(0)));
    assert_eq!((open.attempt, &open.question), (1, &Question::yes_no("No. 0?")));

    let answer = Answer {
        run_id: many.id,
        node: "ask".into(),
        item: ItemPath::item(7),
        attempt: Some(1),
        value: Value::Bool(true),
        request_key: "k".into(),
    };
    client.call(answer.clone()).await.unwrap();
    client.call(answer.clone()).await.unwrap();
    let again = Answer { request_key: "other".into(), ..answer.clone() };
    assert!(refused(client.call(again).await).is(ErrorCode::Refused));
    let wrong = Answer { item: ItemPath::item(8), value: Value::from("perhaps"), ..answer };
    let error = refused(client.call(wrong).await);
    assert!(error.is(ErrorCode::BadParams) && error.message.contains("`ask[8]` of"), "{error}");
    let rows = page(&client, List { run_id: Some(many.id), limit: Some(1000), ..List::default() }).await.rows;
    assert_eq!(rows.len(), 149);
    assert!(rows.iter().all(|row| row.item != ItemPath::item(7)));
}
