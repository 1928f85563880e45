// The structures in space: their surfaces (mesh.glb) where the server makes them, else their contours as lines. three.js comes
// with this file only, and this file only when somebody wants to see it.
import { Button, Group, Loader, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  AmbientLight,
  Box3,
  BufferAttribute,
  BufferGeometry,
  Color,
  DirectionalLight,
  Group as Group3d,
  LineBasicMaterial,
  LineLoop,
  Mesh,
  type Object3D,
  PerspectiveCamera,
  Scene,
  Sphere,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
import { getComputed } from '../api/client';
import { cssColor, type DrawnStructure } from './contours';

interface Props {
  instance: string;
  structures: readonly DrawnStructure[];
  hidden: ReadonlySet<number>;
  hasMeshes: boolean;
}

/** Contours in mm become what the meshes of the server are: metres, the patient upright. */
function linesOf(structures: readonly DrawnStructure[]): Group3d {
  const all = new Group3d();
  all.scale.setScalar(0.001);
  all.rotation.x = -Math.PI / 2;
  for (const structure of structures) {
    const group = new Group3d();
    group.userData.roi_number = structure.number;
    const material = new LineBasicMaterial({ color: new Color(cssColor(structure.color).replaceAll(' ', ',')) });
    for (const contour of structure.contours) {
      const geometry = new BufferGeometry();
      geometry.setAttribute('position', new BufferAttribute(contour.points, 3));
      group.add(new LineLoop(geometry, material));
    }
    all.add(group);
  }
  return all;
}

const surfacesOf = async (instance: string, signal: AbortSignal): Promise<Group3d> => {
  const buffer = await getComputed<ArrayBuffer>(`/api/extract-rt/${instance}/mesh.glb`, 'arraybuffer', signal);
  return (await new GLTFLoader().parseAsync(buffer, '')).scene;
};

function release(object: Object3D) {
  object.traverse((part) => {
    if (part instanceof Mesh || part instanceof LineLoop) {
      part.geometry.dispose();
      for (const material of [part.material].flat()) material.dispose();
    }
  });
}

export default function Scene3d({ instance, structures, hidden, hasMeshes }: Props) {
  const { t } = useTranslation();
  const place = useRef<HTMLDivElement>(null);
  const shown = useRef<{ model: Group3d; render: () => void; home: () => void } | null>(null);
  const [state, setState] = useState<'loading' | 'shown' | 'lines' | 'noWebgl'>('loading');

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const stop = new AbortController();
    let renderer: WebGLRenderer;
    try {
      renderer = new WebGLRenderer({ antialias: true, alpha: true });
    } catch {
      setState('noWebgl');
      return;
    }
    renderer.setPixelRatio(window.devicePixelRatio);
    element.append(renderer.domElement);
    renderer.domElement.style.display = 'block';
    const scene = new Scene();
    const camera = new PerspectiveCamera(35, 1, 0.001, 20);
    const light = new DirectionalLight(0xffffff, 2);
    scene.add(new AmbientLight(0xffffff, 1.2), light);
    const controls = new OrbitControls(camera, renderer.domElement);
    const render = () => {
      // From behind the viewer's shoulder, wherever that is.
      light.position.copy(camera.position).sub(controls.target);
      renderer.render(scene, camera);
    };
    controls.addEventListener('change', render);
    const resize = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      if (!width || !height) return;
      renderer.setSize(width, height);
      camera.aspect = width / height;
      camera.updateProjectionMatrix();
      render();
    });
    resize.observe(element);

    const show = (model: Group3d, how: 'shown' | 'lines') => {
      if (stop.signal.aborted) return;
      scene.add(model);
      const around = new Box3().setFromObject(model).getBoundingSphere(new Sphere());
      const home = () => {
        controls.target.copy(around.center);
        const away = around.radius / Math.sin((camera.fov * Math.PI) / 360);
        camera.position.copy(around.center).add(new Vector3(0, 0, 1.1 * away));
        controls.update();
        render();
      };
      shown.current = { model, render, home };
      home();
      setState(how);
    };
    if (hasMeshes) {
      surfacesOf(instance, stop.signal).then(
        (model) => show(model, 'shown'),
        // Nothing with a surface, or too old a server: the contours are there in any case.
        () => show(linesOf(structures), 'lines'),
      );
    } else show(linesOf(structures), 'lines');

    return () => {
      stop.abort();
      resize.disconnect();
      controls.dispose();
      if (shown.current) release(shown.current.model);
      shown.current = null;
      renderer.dispose();
      renderer.domElement.remove();
    };
  }, [instance, structures, hasMeshes]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the model is there only once the state says so.
  useEffect(() => {
    shown.current?.model.traverse((part) => {
      const number = part.userData.roi_number;
      if (typeof number === 'number') part.visible = !hidden.has(number);
    });
    shown.current?.render();
  }, [hidden, state]);

  return (
    <div>
      <div
        ref={place}
        role="img"
        aria-label={t('viewer.space')}
        data-scene={state}
        style={{ height: 'min(60vh, 560px)', borderRadius: 8, overflow: 'hidden', background: '#0b0d12' }}
      />
      <Group mt="xs" justify="space-between" mih={30}>
        <Text size="xs" c="dimmed">
          {state === 'noWebgl' ? t('viewer.noWebgl') : state === 'lines' ? t('viewer.lines') : t('viewer.turn')}
        </Text>
        {state === 'loading' ? (
          <Loader size="sm" aria-label={t('loading')} />
        ) : (
          <Button size="xs" variant="default" onClick={() => shown.current?.home()}>
            {t('viewer.home')}
          </Button>
        )}
      </Group>
    </div>
  );
}
