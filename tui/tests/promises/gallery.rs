//! Products stay and accumulate, wherever the lens is.

use fanlight_shared::id::AssetId;

use crate::house::House;
use crate::person::{Person, tiles_of};

async fn two_done(house: &House, person: &mut Person) {
    for seed in 1..=2 {
        house.let_go(seed);
        house.start(seed).await;
    }
    person
        .until("both runs' pictures are in the gallery", |model, screen| {
            model.gallery.assets.len() == 2 && screen.contains("Done 2")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moving_the_lens_changes_the_grid_and_not_the_gallery() {
    let house = House::new().await;
    let mut person = Person::open(&house.home, &house.file()).await;
    two_done(&house, &mut person).await;
    person.until("the second run is shown", |_, screen| screen.contains("made by 2")).await;
    let products: Vec<AssetId> = person.model().gallery.assets.iter().map(|asset| asset.id).collect();
    person.watch(move |model| {
        let now: Vec<AssetId> = model.gallery.assets.iter().map(|asset| asset.id).collect();
        assert_eq!(now, products, "the gallery changed with the lens");
    });
    person.press("[");
    person
        .until("the first run is shown", |_, screen| {
            screen.contains("made by 1") && !screen.contains("made by 2")
        })
        .await;
    person.press("]");
    person.until("the second run is shown again", |_, screen| screen.contains("made by 2")).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_both_branches_are_shown_on_the_output_node() {
    let house = House::new().await;
    let mut person = Person::open(&house.home, &house.file()).await;
    two_done(&house, &mut person).await;
    person.until("a badge says that two runs made a value", |_, screen| screen.contains("×2")).await;
    // To the last node, and its values in all runs.
    person.press("1 G v");
    person
        .until("both values stand side by side", |_, screen| {
            screen.contains("made by 1") && screen.contains("made by 2")
        })
        .await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_tile_becomes_its_asset_without_a_gap_or_a_double() {
    let house = House::new().await;
    let mut person = Person::open(&house.home, &house.file()).await;
    let run = house.start(1).await.id;
    person.until("the run has a live tile", |model, _| tiles_of(model, run) == (1, 0)).await;
    person.watch(move |model| {
        let (live, products) = tiles_of(model, run);
        assert_eq!(live + products, 1, "{live} live and {products} products");
    });
    house.let_go(1);
    person
        .until("its picture is there and it is done", |model, screen| {
            tiles_of(model, run) == (0, 1) && screen.contains("Done 1")
        })
        .await;
    house.close().await;
}
