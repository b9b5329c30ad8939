"""Topics that were made by hand, differently from what the journal needs."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connector_testkit.demo.polling import until


async def make_by_hand(admin: AIOKafkaAdminClient, *topics: NewTopic) -> None:
    """Make topics, and wait until the broker tells of them."""
    await admin.create_topics(list(topics))
    names = {topic.name for topic in topics}

    async def told() -> bool:
        ready = {one["topic"] for one in await admin.describe_topics() if not one["error_code"]}
        return names <= ready

    await until("the topics are there", told)
