"""What else asks a model in bulk, for the gateway's benchmark; only what is installed is run.

Each peer asks every text of ``texts`` with ``in_flight`` requests at once, as its documentation
says; data-designer also keeps the answers and profiles them, which is part of its one call.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

INSTRUCTIONS = "Say what it is about."
Ask = Callable[[str, Sequence[str], int], None]


def openai_sdk(url: str, texts: Sequence[str], in_flight: int) -> None:
    import openai

    async def run() -> None:
        left = iter(texts)
        async with openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=2) as client:

            async def work() -> None:
                for text in left:
                    await client.chat.completions.create(
                        model="m",
                        messages=[
                            {"role": "system", "content": INSTRUCTIONS},
                            {"role": "user", "content": text},
                        ],
                        max_tokens=1,
                        temperature=0,
                        logprobs=True,
                        top_logprobs=20,
                    )

            await asyncio.gather(*(work() for _ in range(in_flight)))

    asyncio.run(run())


def pydantic_ai(url: str, texts: Sequence[str], in_flight: int) -> None:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    async def run() -> None:
        left = iter(texts)
        model = OpenAIChatModel("m", provider=OpenAIProvider(base_url=url, api_key="x"))
        agent = Agent(model, instructions=INSTRUCTIONS)

        async def work() -> None:
            for text in left:
                await agent.run(text)

        await asyncio.gather(*(work() for _ in range(in_flight)))

    asyncio.run(run())


def distilabel(url: str, texts: Sequence[str], in_flight: int) -> None:
    from distilabel.models import OpenAILLM

    model = OpenAILLM(model="m", base_url=url, api_key="x", generation_kwargs={"temperature": 0})
    model.load()
    for batch in batches(texts, in_flight):
        model.generate(
            inputs=[
                [
                    {"role": "system", "content": INSTRUCTIONS},
                    {"role": "user", "content": text},
                ]
                for text in batch
            ]
        )


def data_designer(url: str, texts: Sequence[str], in_flight: int) -> None:
    import data_designer.config as dd
    import pandas as pd
    from data_designer.interface import DataDesigner

    parameters = dd.ChatCompletionInferenceParams(
        temperature=0, max_tokens=1, max_parallel_requests=in_flight
    )
    model = dd.ModelConfig(alias="m", model="m", provider="here", inference_parameters=parameters)
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.DataFrameSeedSource(df=pd.DataFrame({"text": list(texts)})))
    column = dd.LLMTextColumnConfig(
        name="topic", model_alias="m", system_prompt=INSTRUCTIONS, prompt="{{ text }}"
    )
    builder.add_column(column)
    provider = dd.ModelProvider(name="here", endpoint=url, provider_type="openai", api_key="x")
    with tempfile.TemporaryDirectory() as folder:
        designer = DataDesigner(artifact_path=folder, model_providers=[provider])
        designer.create(builder, num_records=len(texts))


def batches(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (texts[start : start + size] for start in range(0, len(texts), size))


PEERS: dict[str, Ask] = {
    "openai": openai_sdk,
    "pydantic-ai-slim": pydantic_ai,
    "distilabel": distilabel,
    "data-designer": data_designer,
}


def rates(url: str, texts: Sequence[str], in_flight: int) -> dict[str, int | str]:
    """Return texts a second of each peer, or why there is no such figure."""
    found: dict[str, int | str] = {}
    for name, ask in PEERS.items():
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
            continue
        try:
            ask(url, texts[:in_flight], in_flight)  # imports
        except ImportError as error:
            found[name] = f"not installed: {error}"
            continue
        began = time.perf_counter()
        ask(url, texts, in_flight)
        found[name] = round(len(texts) / (time.perf_counter() - began))
    return found
