"""Asks `evenhand serve --like gpt-5-mini` as a program that uses the openai package does.

Arguments: the endpoint and the key. Prints what came of each request as one JSON object.
"""

import json
import sys

import openai

endpoint, key = sys.argv[1:]
client = openai.AzureOpenAI(
    azure_endpoint=endpoint, api_key=key, api_version="2024-10-21", max_retries=0
)
question = [{"role": "user", "content": "Describe a nurse."}]


def asked(**arguments):
    try:
        answer = client.chat.completions.create(
            model="any", messages=question, extra_body=arguments
        )
    except openai.BadRequestError as error:
        return {
            "error": type(error).__name__,
            "code": error.code,
            "param": error.param,
            "type": error.type,
            "message": error.body["message"],
        }
    usage = answer.usage.model_dump()
    return {
        "model": answer.model,
        "text": answer.choices[0].message.content,
        "finish": answer.choices[0].finish_reason,
        "completion": usage["completion_tokens"],
        "total": usage["total_tokens"] - usage["prompt_tokens"],
        "thought": usage["completion_tokens_details"]["reasoning_tokens"],
    }


def streamed(**arguments):
    pieces = client.chat.completions.create(
        model="any",
        messages=question,
        stream=True,
        extra_body={"stream_options": {"include_usage": True}, **arguments},
    )
    text, finish, thought = "", None, None
    for piece in pieces:
        if piece.choices:
            text += piece.choices[0].delta.content or ""
            finish = piece.choices[0].finish_reason or finish
        if piece.usage:
            usage = piece.usage.model_dump()
            thought = usage["completion_tokens_details"]["reasoning_tokens"]
    return {"text": text, "finish": finish, "thought": thought}


print(
    json.dumps(
        {
            "version": openai.__version__,
            "models": [model.id for model in client.models.list()],
            "max_tokens": asked(max_tokens=100),
            "temperature": asked(temperature=0),
            "effort": asked(reasoning_effort="none"),
            "hundred": asked(max_completion_tokens=100),
            "minimal": asked(max_completion_tokens=100, reasoning_effort="minimal"),
            "streamed": streamed(max_completion_tokens=100),
            "streamed_minimal": streamed(
                max_completion_tokens=90, reasoning_effort="minimal"
            ),
        }
    )
)
