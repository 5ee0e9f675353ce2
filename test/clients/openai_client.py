"""The official OpenAI SDK for Python, driven from outside.

One JSON line in is one task: {"id", "feature", "base_url", "api_key", and what the feature takes}.
One JSON line out is its outcome: {"id", "result"}, or {"id", "raised"} with what an app would see of the exception.
Tasks run at the same time, each in a thread, so that one can be left while another goes on.
"""

import asyncio
import json
import sys
import threading
from enum import Enum

import openai
from openai import AsyncOpenAI, OpenAI, pydantic_function_tool
from pydantic import BaseModel


class Tag(str, Enum):
    new = "new"
    old = "old"


class Author(BaseModel):
    name: str


class Book(BaseModel):
    title: str
    pages: int
    tags: list[Tag]
    publisher: str | None
    author: Author


class GetWeather(BaseModel):
    """The weather in a city"""

    city: str
    days: int


class GetTime(BaseModel):
    """The time in a city"""

    city: str


TOOLS = [
    pydantic_function_tool(GetWeather, name="get_weather"),
    pydantic_function_tool(GetTime, name="get_time"),
]
ANSWERS = {"get_weather": "rain of 7 degrees", "get_time": "half past nine"}


def hurry(response):
    """Nobody wants to sit through the wait before the SDK asks again."""
    if response.status_code >= 400:
        response.headers["retry-after-ms"] = "1"
        response.headers.pop("retry-after", None)


def client_of(task):
    http = openai.DefaultHttpxClient(event_hooks={"response": [hurry]})
    return OpenAI(
        base_url=task["base_url"],
        api_key=task["api_key"],
        max_retries=task.get("max_retries", 0),
        http_client=http,
    )


def user(task):
    return [{"role": "user", "content": task["prompt"]}]


def chat(client, task):
    raw = client.chat.completions.with_raw_response.create(
        model=task["model"], messages=user(task), **task.get("more", {})
    )
    answer = raw.parse()
    return {
        "answer": answer.to_dict(),
        "request_id": answer._request_id,
        "header": raw.headers["x-request-id"],
    }


def chat_async(_client, task):
    async def ask():
        async with AsyncOpenAI(base_url=task["base_url"], api_key=task["api_key"], max_retries=0) as client:
            texts = []
            async with client.chat.completions.stream(model=task["model"], messages=user(task)) as stream:
                async for event in stream:
                    if event.type == "content.delta":
                        texts.append(event.delta)
            whole = await client.chat.completions.create(model=task["model"], messages=user(task))
            return {"streamed": "".join(texts), "whole": whole.choices[0].message.content}

    return asyncio.run(ask())


def stream(client, task):
    """The raw stream, as most programs read it."""
    text, finish, usage = "", None, None
    answer = client.chat.completions.create(
        model=task["model"], messages=user(task), stream=True, stream_options={"include_usage": True}
    )
    pieces = 0
    for chunk in answer:
        pieces += 1
        if chunk.usage is not None:
            usage = chunk.usage.to_dict()
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return {"text": text, "finish": finish, "usage": usage, "pieces": pieces}


def stream_helper(client, task):
    kinds, text = [], ""
    with client.chat.completions.stream(model=task["model"], messages=user(task), **task.get("more", {})) as helper:
        for event in helper:
            if event.type != "chunk" and (not kinds or kinds[-1] != event.type):
                kinds.append(event.type)
            if event.type == "content.delta":
                text += event.delta
        final = helper.get_final_completion()
    return {"kinds": kinds, "text": text, "final": final.to_dict()}


def tools(client, task):
    """The loop that every agent has: calls, results, answer."""
    messages = user(task)
    heard = []
    for _ in range(4):
        if task["stream"]:
            with client.chat.completions.stream(model=task["model"], messages=messages, tools=TOOLS) as helper:
                choice = helper.get_final_completion().choices[0]
        else:
            choice = client.chat.completions.parse(model=task["model"], messages=messages, tools=TOOLS).choices[0]
        if not choice.message.tool_calls:
            return {"text": choice.message.content, "finish": choice.finish_reason, "heard": heard}
        messages.append(choice.message)
        for call in choice.message.tool_calls:
            heard.append([call.function.name, call.function.parsed_arguments.model_dump()])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": ANSWERS[call.function.name]})
    raise RuntimeError("the model called for ever")


def structured(client, task):
    ask = {"model": task["model"], "messages": user(task), "response_format": Book, **task.get("more", {})}
    whole = client.chat.completions.parse(**ask).choices[0].message
    with client.chat.completions.stream(**ask) as helper:
        streamed = helper.get_final_completion().choices[0].message
    return {"whole": whole.parsed.model_dump(mode="json"), "streamed": streamed.parsed.model_dump(mode="json")}


def embeddings(client, task):
    answer = client.embeddings.create(model=task["model"], input=task["input"])
    return {
        "sizes": [len(item.embedding) for item in answer.data],
        "indices": [item.index for item in answer.data],
        "floats": all(isinstance(number, float) for number in answer.data[0].embedding),
        "tokens": answer.usage.prompt_tokens,
    }


def models(client, task):
    return {"names": [model.id for model in client.models.list()], "one": client.models.retrieve(task["model"]).to_dict()}


def leave(client, task):
    """Leaves a stream by `break`, and another call by its own time limit."""
    with client.chat.completions.create(model=task["model"], messages=user(task), stream=True) as answer:
        for _ in answer:
            break
    client.with_options(timeout=0.5).chat.completions.create(
        model=task["model"], messages=[{"role": "user", "content": "[[sim:silent]]"}]
    )


FEATURES = {
    feature.__name__: feature
    for feature in (chat, chat_async, stream, stream_helper, tools, structured, embeddings, models, leave)
}


def outcome(task):
    try:
        return {"result": FEATURES[task["feature"]](client_of(task), task)}
    except Exception as error:  # what an app would see of it is the result
        return {
            "raised": {
                "type": type(error).__name__,
                "status": getattr(error, "status_code", None),
                "code": getattr(error, "code", None),
                "param": getattr(error, "param", None),
                "request_id": getattr(error, "request_id", None),
                "message": str(error),
            }
        }


def main():
    written = threading.Lock()

    def work(task):
        line = json.dumps({"id": task["id"], **outcome(task)})
        with written:
            print(line, flush=True)

    print(json.dumps({"version": openai.__version__}), flush=True)
    for line in sys.stdin:
        threading.Thread(target=work, args=(json.loads(line),), daemon=True).start()


if __name__ == "__main__":
    main()
